/**
 * CodeMirror with Lua, loaded when first used. It lives in a shadow root: there its styles are constructed
 * style sheets, which a policy without `unsafe-inline` allows, and custom properties still reach it.
 */
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import {
  bracketMatching,
  HighlightStyle,
  indentUnit,
  StreamLanguage,
  syntaxHighlighting,
} from '@codemirror/language';
import { lua } from '@codemirror/legacy-modes/mode/lua';
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { drawSelection, EditorView, keymap, placeholder, type Command } from '@codemirror/view';
import { tags } from '@lezer/highlight';

export interface EditorOptions {
  text: string;
  label: string;
  placeholder: string;
  minLines: number;
  onchange(text: string): void;
  onrun(): void;
  complete(text: string): boolean;
  onprevious(): string | undefined;
  onnext(): string | undefined;
  onescape(): void;
}

export interface CodeEditor {
  setText(text: string): void;
  setDisabled(disabled: boolean): void;
  focus(caret?: number): void;
  destroy(): void;
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword], color: 'var(--ansi-magenta)' },
  { tag: [tags.string], color: 'var(--ansi-green)' },
  { tag: [tags.comment], color: 'var(--ink-3)', fontStyle: 'italic' },
  { tag: [tags.number, tags.bool, tags.atom], color: 'var(--ansi-yellow)' },
  { tag: [tags.standard(tags.variableName)], color: 'var(--ansi-blue)' },
]);

const look = (minLines: number) =>
  EditorView.theme({
    '&': { color: 'var(--ink)', fontSize: 'var(--size-1)', backgroundColor: 'transparent' },
    '&.cm-focused': { outline: 'none' },
    '.cm-scroller': { fontFamily: 'var(--font-code)', lineHeight: '1.6', maxHeight: '50vh' },
    '.cm-content': { padding: '8px 0', caretColor: 'var(--accent)', minHeight: `${minLines * 1.6 + 1.2}em` },
    '.cm-line': { padding: '0 10px' },
    '.cm-cursor': { borderLeftColor: 'var(--accent)', borderLeftWidth: '2px' },
    '.cm-placeholder': { color: 'var(--ink-3)' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
      backgroundColor: 'var(--accent-soft)',
    },
    '&.cm-focused .cm-matchingBracket': {
      backgroundColor: 'var(--accent-soft)',
      outline: '1px solid var(--line-strong)',
    },
  });

export function createEditor(host: HTMLElement, options: EditorOptions): CodeEditor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const editable = new Compartment();

  const replace = (view: EditorView, text: string, caret = text.length) =>
    view.dispatch({
      changes: { from: 0, to: view.state.doc.length, insert: text },
      selection: { anchor: caret },
    });

  const walk =
    (edge: 'first' | 'last', read: () => string | undefined): Command =>
    (view) => {
      const { head, empty } = view.state.selection.main;
      const line = view.state.doc.lineAt(head);
      const atEdge = edge === 'first' ? line.number === 1 : line.number === view.state.doc.lines;
      if (!empty || !atEdge) return false;
      const text = read();
      if (text === undefined) return false;
      replace(view, text);
      return true;
    };

  const run: Command = () => (options.onrun(), true);
  const keys = Prec.highest(
    keymap.of([
      { key: 'Mod-Enter', run },
      {
        key: 'Enter',
        run: (view) => (options.complete(view.state.doc.toString()) ? run(view) : false),
      },
      { key: 'ArrowUp', run: walk('first', options.onprevious) },
      { key: 'ArrowDown', run: walk('last', options.onnext) },
      { key: 'Escape', run: () => (options.onescape(), true) },
    ]),
  );

  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        keys,
        history(),
        drawSelection(),
        bracketMatching(),
        indentUnit.of('  '),
        StreamLanguage.define(lua),
        syntaxHighlighting(colours),
        placeholder(options.placeholder),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({
          'aria-label': options.label,
          autocapitalize: 'off',
          spellcheck: 'false',
        }),
        // Left to itself, the browser keeps the look of replaced text in style attributes, which the policy refuses.
        EditorView.domEventHandlers({
          beforeinput(event, target) {
            const replaces = event.inputType === 'insertText' && !target.state.selection.main.empty;
            if (!replaces || event.data === null || target.composing || target.state.readOnly) return false;
            event.preventDefault();
            target.dispatch(target.state.replaceSelection(event.data), {
              userEvent: 'input.type',
              scrollIntoView: true,
            });
            return true;
          },
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onchange(update.state.doc.toString());
        }),
        // Tab indents only in an editor of several lines; in a prompt it moves on, as everywhere.
        keymap.of([...(options.minLines > 1 ? [indentWithTab] : []), ...defaultKeymap, ...historyKeymap]),
        editable.of([]),
        look(options.minLines),
      ],
    }),
  });

  return {
    setText(text) {
      if (view.state.doc.toString() !== text) replace(view, text);
    },
    setDisabled(disabled) {
      view.dispatch({
        effects: editable.reconfigure([EditorState.readOnly.of(disabled)]),
      });
    },
    focus(caret) {
      view.focus();
      if (caret !== undefined)
        view.dispatch({ selection: { anchor: Math.min(caret, view.state.doc.length) } });
    },
    destroy: () => view.destroy(),
  };
}
