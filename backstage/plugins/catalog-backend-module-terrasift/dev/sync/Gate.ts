import { once } from 'events';
import {
  createServer,
  IncomingMessage,
  request as ask,
  Server,
  ServerResponse,
} from 'http';
import { close, listen, until } from '@terrasift/backstage-testbed';
import { Engine } from '../Engine';

export type Moment = 'asked' | 'answering' | 'answered' | 'stored';

/**
 * Stands between catalog and engine: puts the key in that the engine has now, and tells of the moments of a page. Whoever
 * waits for a moment has it held until they let go.
 */
export class Gate {
  readonly #server: Server;
  #awaited: { moment: Moment; arrived: (release: () => void) => void }[] = [];
  #lastCursor: string | null = null;
  pages = 0;

  constructor(private readonly engine: Engine) {
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch(() => response.destroy());
    });
  }

  async start(): Promise<string> {
    return listen(this.#server);
  }

  async stop(): Promise<void> {
    await close(this.#server);
  }

  /** The next such moment; call what it resolves with to let the page go on. */
  async next(moment: Moment, patienceMs: number): Promise<() => void> {
    const held: (() => void)[] = [];
    this.#awaited.push({ moment, arrived: release => held.push(release) });
    await until(`a page is ${moment}`, () => held.length > 0, patienceMs);
    return held[0];
  }

  async #moment(moment: Moment): Promise<void> {
    const at = this.#awaited.findIndex(it => it.moment === moment);
    if (at < 0) return;
    const [{ arrived }] = this.#awaited.splice(at, 1);
    await new Promise<void>(release => arrived(release));
  }

  async #pass(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const url = new URL(request.url!, 'http://gate');
    const isFeed = url.pathname === '/v1/changes';
    if (isFeed) {
      const cursor = url.searchParams.get('cursor');
      if (cursor !== this.#lastCursor) await this.#moment('stored');
      this.#lastCursor = cursor;
      await this.#moment('asked');
    }
    if (!this.engine.key) {
      response.writeHead(503).end();
      return;
    }
    const upstream = ask({
      host: '127.0.0.1',
      port: this.engine.port,
      path: request.url,
      headers: { authorization: `Bearer ${this.engine.key}` },
    });
    response.once('close', () => upstream.destroy());
    upstream.end();
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    const body: Buffer[] = [];
    for await (const chunk of answer) body.push(chunk);
    const bytes = Buffer.concat(body);
    const { 'content-type': type } = answer.headers;
    response.writeHead(answer.statusCode!, {
      ...(type && { 'content-type': type }),
      'content-length': bytes.length,
    });
    const changes = isFeed && bytes.includes('"upsert"');
    if (changes) {
      const half = Math.floor(bytes.length / 2);
      response.write(bytes.subarray(0, half));
      await this.#moment('answering');
      if (!this.engine.key) {
        // It died with the answer half told.
        response.destroy();
        return;
      }
      response.end(bytes.subarray(half));
      this.pages += 1;
      await this.#moment('answered');
    } else {
      response.end(bytes);
    }
  }
}
