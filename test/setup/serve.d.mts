export interface Served {
  readonly origin: string;
  close(): Promise<void>;
}
export function serve(options: {
  port: number;
  directory?: string;
  aos?: string | undefined;
}): Promise<Served>;
