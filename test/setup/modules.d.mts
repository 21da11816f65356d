export const PACKAGE: string;
export const INTEGRITY: string;
export function fetchModules(): Promise<string | undefined>;
export function aosHash(): string | undefined;
export interface ModuleIndex {
  aos?: { path: string; name: string; sha256: string; bytes: number };
}
export function moduleIndex(path: string | undefined): ModuleIndex;
