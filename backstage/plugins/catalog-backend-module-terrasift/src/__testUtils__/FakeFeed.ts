import { createServer, IncomingMessage, Server, ServerResponse } from 'http';
import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import { close, listen } from '@terrasift/backstage-testbed';
import { entity } from './entity';

type Change = TerrasiftSchema<'Change'>;

/** What the fake answers in the place of a right answer. */
export type Fault = (
  request: IncomingMessage,
  response: ServerResponse,
) => boolean;

/** A feed as Terrasift's is (`connectors/http/src/feed.rs`), in memory. */
export class FakeFeed {
  /** Newest change of each entity. */
  readonly #changes = new Map<string, Change>();
  readonly requests: string[] = [];
  #head = 0;
  #epoch = 1;
  #woken: (() => void)[] = [];
  #server: Server;
  /** Set it to have requests answered wrongly. */
  fault: Fault | undefined;
  /** Entities that a snapshot leaves out though they are there. */
  cutSnapshot = (_ref: string) => false;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  async start(): Promise<string> {
    return listen(this.#server);
  }

  async stop(): Promise<void> {
    this.#wake();
    await close(this.#server);
  }

  upsert(...names: string[]): void {
    names.forEach(name => this.put(entity(name)));
  }

  put(it: TerrasiftSchema<'Entity'>): void {
    const ref = `${it.kind}:${it.metadata.namespace}/${it.metadata.name}`;
    this.#push({ entity_ref: ref.toLowerCase(), change: 'upsert', entity: it });
  }

  remove(...names: string[]): void {
    for (const name of names) {
      this.#push({ entity_ref: `resource:acme/${name}`, change: 'remove' });
    }
  }

  /** The database was restored or the feed rebuilt: all cursors are void. */
  rebuild(names: string[]): void {
    this.#epoch += 1;
    this.#head = 0;
    this.#changes.clear();
    this.upsert(...names);
  }

  live(): string[] {
    return [...this.#changes.values()]
      .filter(({ change }) => change === 'upsert')
      .map(change => change.entity_ref)
      .sort();
  }

  #push(change: Omit<Change, 'seq'>): void {
    this.#head += 1;
    this.#changes.set(change.entity_ref, { seq: this.#head, ...change });
    this.#wake();
  }

  #wake(): void {
    this.#woken.splice(0).forEach(wake => wake());
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const url = new URL(request.url!, 'http://fake');
    this.requests.push(`${url.pathname}${url.search}`);
    if (this.fault?.(request, response)) return;
    if (request.headers.authorization !== 'Bearer key-of-acme') {
      problem(response, 401, 'unauthorized');
    } else if (url.pathname === '/v1/changes') {
      const waited = await this.#wait(url);
      if (waited && this.fault?.(request, response)) return;
      this.#serveChanges(url, response);
    } else if (url.pathname === '/v1/snapshot') {
      this.#serveChanges(url, response, true);
    } else {
      const [kind, namespace, name] = url.pathname.split('/').slice(-3);
      const found = this.#changes.get(`${kind}:${namespace}/${name}`);
      if (found?.change === 'upsert') json(response, 200, found.entity);
      else problem(response, 404, 'entity_not_found');
    }
  }

  /** Waits as the request wants it, if there is nothing yet. */
  async #wait(url: URL): Promise<boolean> {
    const [epoch, seq] = url.searchParams.get('cursor')?.split('.') ?? [];
    const seconds = Number(url.searchParams.get('wait') ?? 0);
    const atEnd = Number(epoch) === this.#epoch && Number(seq) === this.#head;
    if (!atEnd || seconds === 0) return false;
    await new Promise<void>(resolve => {
      this.#woken.push(resolve);
      setTimeout(resolve, seconds * 1000).unref();
    });
    return true;
  }

  #serveChanges(url: URL, response: ServerResponse, snapshot: boolean = false) {
    const cursor = url.searchParams.get('cursor');
    const limit = Number(url.searchParams.get('limit'));
    const [epoch, seq, head] = cursor?.split('.').map(Number) ?? [
      this.#epoch,
      0,
      this.#head,
    ];
    if (epoch !== this.#epoch) {
      problem(response, 410, 'cursor_expired');
      return;
    }
    const all = [...this.#changes.values()]
      .filter(change => change.seq > seq && (!snapshot || change.seq <= head))
      .sort((one, other) => one.seq - other.seq);
    const page = all.slice(0, limit);
    const more = all.length > limit;
    const end = snapshot ? head : this.#head;
    const at = more ? page[page.length - 1].seq : Math.max(end, seq);
    json(response, 200, {
      changes: page.filter(
        change =>
          (change.change === 'upsert' || change.seq > head) &&
          !(snapshot && this.cutSnapshot(change.entity_ref)),
      ),
      next_cursor: [epoch, at, head].join('.'),
      has_more: more,
    });
  }
}

export function json(response: ServerResponse, status: number, body: unknown) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

export function problem(
  response: ServerResponse,
  status: number,
  code: string,
) {
  json(response, status, { type: code, title: code, status, code, detail: '' });
}
