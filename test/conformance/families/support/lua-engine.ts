/** Lua machines in the worker that asks for them. */
export function startLuaHere(): Promise<never> {
  return Promise.reject(new Error('not yet'));
}
