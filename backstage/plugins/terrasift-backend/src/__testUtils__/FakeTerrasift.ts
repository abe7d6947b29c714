import { once } from 'events';
import { createServer, IncomingMessage, Server, ServerResponse } from 'http';
import { AddressInfo } from 'net';

/** Answers in the ways in which a server can fail, and notes what it was asked. */
export class FakeTerrasift {
  readonly asked: { method: string; url: string; headers: any }[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (
    _,
    response,
  ) => this.json(response, 200, {});

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeTerrasift> {
    const server = createServer();
    const fake = new FakeTerrasift(server);
    server.on('request', (request, response) => {
      fake.asked.push({
        method: request.method!,
        url: request.url!,
        headers: request.headers,
      });
      fake.answer(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  json(
    response: ServerResponse,
    status: number,
    body: object,
    headers: Record<string, string> = {},
  ) {
    response.writeHead(status, {
      'content-type': 'application/json',
      ...headers,
    });
    response.end(JSON.stringify(body));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
