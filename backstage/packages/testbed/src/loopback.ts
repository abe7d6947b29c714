import { once } from 'events';
import type { Server } from 'http';

/** Has a server listen on a free port of loopback; resolves with its address. */
export async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return `http://127.0.0.1:${port}`;
}

/** Ends a server and whatever is connected to it. */
export async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.closeAllConnections();
  server.close();
  await closed;
}
