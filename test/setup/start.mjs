/** `npm start`: installs what is missing, builds, and serves the app on http://localhost:4173 (`PORT` overrides). */
import { install } from './install.mjs';
import { fetchModules } from './modules.mjs';
import { serve } from './serve.mjs';
import { npm } from './steps.mjs';

const port = Number(process.env.PORT ?? 4173);
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  console.error(`PORT is not a port number: ${process.env.PORT}`);
  process.exit(1);
}

try {
  await install({ browser: false });
  const aos = await fetchModules();
  console.log('Building …');
  if ((await npm(['run', '--silent', 'build'], { quiet: true })) !== 0) throw new Error('The build failed.');
  const server = await serve({ port, aos });
  console.log(`Beamlet is ready: ${server.origin}/`);
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => void server.close().then(() => process.exit(0)));
} catch (error) {
  console.error(
    error.code === 'EADDRINUSE' ? `Port ${port} is taken: choose another with PORT=…` : error.message,
  );
  process.exit(1);
}
