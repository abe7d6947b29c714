import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import { FeedFailure, failureOf } from './failure';

export type Page = TerrasiftSchema<'ChangesPage'>;

/** Beyond the wait that was asked for, an answer may take this long. */
const ANSWER_MS_MAX = 30_000;
/** A page has at most 1,000 entities of at most 64 KiB. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;

class EntityNotFound extends Error {}

/** Reads one tenant's feed. Holds its key, and never tells it. */
export class FeedClient {
  readonly #baseUrl: string;
  readonly #apiKey: string;

  constructor(options: { baseUrl: string; apiKey: string }) {
    this.#baseUrl = options.baseUrl;
    this.#apiKey = options.apiKey;
  }

  /** A page of changes behind a cursor; waits for the first one if there is none yet. */
  async changes(
    query: { cursor?: string; limit: number; waitSeconds: number },
    signal: AbortSignal,
  ): Promise<Page> {
    const { cursor, limit, waitSeconds } = query;
    return this.#page(
      '/v1/changes',
      { cursor, limit, wait: waitSeconds },
      ANSWER_MS_MAX + waitSeconds * 1000,
      signal,
    );
  }

  /** A page of all live entities as of the moment when reading began. */
  async snapshot(
    query: { cursor?: string; limit: number },
    signal: AbortSignal,
  ): Promise<Page> {
    return this.#page('/v1/snapshot', query, ANSWER_MS_MAX, signal);
  }

  /** Whether the server says that there is no such entity. Anything but that very answer is not a no. */
  async isGone(entityRef: string, signal: AbortSignal): Promise<boolean> {
    const path = '/v1/entities/by-ref';
    const [kind, rest] = entityRef.split(':');
    const parts = [kind, ...rest.split('/')].map(encodeURIComponent);
    try {
      await this.#get(
        `${path}/${parts.join('/')}`,
        path,
        ANSWER_MS_MAX,
        signal,
      );
      return false;
    } catch (error) {
      if (error instanceof EntityNotFound) return true;
      throw error;
    }
  }

  async #page(
    path: string,
    query: Record<string, string | number | undefined>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Page> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) search.set(name, String(value));
    }
    const body = await this.#get(`${path}?${search}`, path, timeoutMs, signal);
    if (!isPage(body)) {
      throw new FeedFailure('malformed', `${path} answered with no page`);
    }
    return body;
  }

  /** `shown` is the path as errors may tell it: cursors and refs do not belong there. */
  async #get(
    path: string,
    shown: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<unknown> {
    const call = new AbortController();
    const abort = () => call.abort();
    const timer = setTimeout(abort, timeoutMs);
    signal.addEventListener('abort', abort);
    let response: Response;
    let text: string;
    try {
      signal.throwIfAborted();
      response = await fetch(`${this.#baseUrl}${path}`, {
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${this.#apiKey}`,
        },
        // A key goes where it was configured to go, and nowhere else.
        redirect: 'error',
        signal: call.signal,
      });
      text = await bounded(response, shown);
    } catch (error) {
      if (error instanceof FeedFailure || signal.aborted) throw error;
      const late = call.signal.aborted;
      const why = late ? 'did not answer in time' : 'cannot be read';
      throw new FeedFailure('unavailable', `${shown} ${why}`);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
    const body = parsed(text);
    if (response.ok) {
      if (body === undefined) {
        throw new FeedFailure('malformed', `${shown} answered with no JSON`);
      }
      return body;
    }
    const code = codeOf(body);
    if (response.status === 404 && code === 'entity_not_found') {
      throw new EntityNotFound();
    }
    throw failureOf(
      shown,
      response.status,
      code,
      response.headers.get('retry-after'),
    );
  }
}

async function bounded(response: Response, shown: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) {
      throw new FeedFailure(
        'malformed',
        `${shown} answered with more than ${BODY_BYTES_MAX} bytes`,
      );
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's words: they quote the answer.
    return undefined;
  }
}

function codeOf(body: unknown): string | undefined {
  const code = (body as TerrasiftSchema<'Problem'> | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

function isPage(body: unknown): body is Page {
  const page = body as Page | undefined;
  return (
    typeof page?.next_cursor === 'string' &&
    typeof page.has_more === 'boolean' &&
    Array.isArray(page.changes) &&
    page.changes.every(
      change =>
        typeof change?.entity_ref === 'string' &&
        (change.change === 'remove' ||
          (change.change === 'upsert' &&
            typeof change.entity === 'object' &&
            change.entity !== null)),
    )
  );
}
