/** Errors of the node as the app shows them: they cross threads as plain data, so only their shape counts. */

export interface Failure {
  code: string;
  /** HTTP status, where the failure maps to one. */
  status?: number;
  sentence: string;
}

export function failure(thrown: unknown): Failure {
  if (typeof thrown === 'object' && thrown !== null) {
    const { code, status, message } = thrown as { code?: unknown; status?: unknown; message?: unknown };
    return {
      code: typeof code === 'string' ? code : 'unexpected',
      ...(typeof status === 'number' ? { status } : {}),
      sentence: sentence(
        typeof message === 'string' && message ? message : 'Something failed without saying why.',
      ),
    };
  }
  return { code: 'unexpected', sentence: sentence(String(thrown)) };
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
