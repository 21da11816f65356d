/** Short notices that belong to no place on the screen. What belongs to one is shown there instead. */

export interface Toast {
  id: number;
  text: string;
  level: 'info' | 'warning' | 'error';
  action?: { label: string; run: () => void };
}

/** How long a notice without an action stays, milliseconds. */
const STAY = 6_000;

class Toasts {
  list = $state.raw<Toast[]>([]);
  #next = 1;

  show(text: string, level: Toast['level'] = 'info', action?: Toast['action']): void {
    if (this.list.some((toast) => toast.text === text)) return;
    const toast: Toast = { id: this.#next++, text, level, ...(action ? { action } : {}) };
    this.list = [...this.list, toast];
    if (!action && level === 'info') setTimeout(() => this.dismiss(toast.id), STAY);
  }

  dismiss(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
