import { createServer, IncomingMessage, Server, ServerResponse } from 'http';
import { close, listen } from '@terrasift/backstage-testbed';

/** Answers in the ways in which a server can fail, and notes what it was asked. */
export class FakeTerrasift {
  readonly asked: { method: string; url: string; headers: any }[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (
    _,
    response,
  ) => this.json(response, 200, {});

  #url = '';

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
    fake.#url = await listen(server);
    return fake;
  }

  get url(): string {
    return this.#url;
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
    await close(this.server);
  }
}
