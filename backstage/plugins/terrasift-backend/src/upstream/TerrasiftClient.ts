import { Config } from '@backstage/config';
import { ServiceUnavailableError } from '@backstage/errors';
import { LRUCache } from 'lru-cache';
import { TerrasiftAccess } from '@terrasift/backstage-plugin-terrasift-common';
import { readTenantAccess } from '../tenants';
import { failureOf } from './failure';

/** No page of Terrasift is near this; what is longer is not read on. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;
const TIMEOUT_MS = 10_000;
const FRESH_MS = 5_000;
const CACHE_BYTES = 32 * 1024 * 1024;
/** Beyond this a tag is no tag of Terrasift's, and is not sent back. */
const TAG_LENGTH_MAX = 128;

interface Kept {
  tag?: string;
  body: object;
  bytes: number;
  askedAt: number;
}

/**
 * Asks Terrasift in a tenant's name. Answers are kept for their entity tags, and shown again for a few seconds, so that
 * a page of cards is one request of each kind however many look at it. They are kept by tenant, and nothing of a
 * request's user stands in them: who may see them is decided before.
 */
export class TerrasiftClient {
  static fromConfig(config: Config, now?: () => number): TerrasiftClient {
    const cards = config.getOptionalConfig('terrasift.cards');
    return new TerrasiftClient(
      new Map(readTenantAccess(config).map(it => [it.id, it])),
      cards?.getOptionalNumber('timeoutMs') ?? TIMEOUT_MS,
      cards?.getOptionalNumber('freshMs') ?? FRESH_MS,
      new LRUCache({
        maxSize: cards?.getOptionalNumber('cacheBytes') ?? CACHE_BYTES,
        sizeCalculation: (kept, key) => kept.bytes + key.length,
      }),
      now ?? Date.now,
    );
  }

  readonly #tenants: ReadonlyMap<string, TerrasiftAccess>;
  readonly #asking = new Map<string, Promise<object>>();

  private constructor(
    tenants: ReadonlyMap<string, TerrasiftAccess>,
    private readonly timeoutMs: number,
    private readonly freshMs: number,
    private readonly cache: LRUCache<string, Kept>,
    private readonly now: () => number,
  ) {
    this.#tenants = tenants;
  }

  /**
   * @param path - with its query, such as `/v1/runs?limit=20`
   */
  async get(tenant: string, path: string): Promise<object> {
    const key = `${tenant} ${path}`;
    const kept = this.cache.get(key);
    if (kept && this.now() - kept.askedAt < this.freshMs) return kept.body;
    const asking = this.#asking.get(key);
    if (asking) return asking;
    const asked = this.#ask(tenant, path, key, kept).finally(() =>
      this.#asking.delete(key),
    );
    this.#asking.set(key, asked);
    return asked;
  }

  /** Changes something; what is kept of the tenant may no longer be so. */
  async post(tenant: string, path: string): Promise<object> {
    try {
      return (await this.#send(tenant, path, { method: 'POST' })).body!;
    } finally {
      for (const key of this.cache.keys()) {
        if (key.startsWith(`${tenant} `)) this.cache.delete(key);
      }
    }
  }

  async #ask(
    tenant: string,
    path: string,
    key: string,
    kept: Kept | undefined,
  ): Promise<object> {
    const askedAt = this.now();
    const headers = kept?.tag ? { 'If-None-Match': kept.tag } : undefined;
    const answer = await this.#send(tenant, path, { method: 'GET', headers });
    const next = answer.body
      ? { tag: answer.tag, body: answer.body, bytes: answer.bytes, askedAt }
      : { ...kept!, askedAt };
    this.cache.set(key, next);
    return next.body;
  }

  /** Sends one request. A body of `undefined` means that what is kept is still so. */
  async #send(
    tenant: string,
    path: string,
    init: { method: string; headers?: Record<string, string> },
  ): Promise<{ body?: object; bytes: number; tag?: string }> {
    const access = this.#tenants.get(tenant);
    if (!access) {
      throw new ServiceUnavailableError(`tenant ${tenant} is not configured`);
    }
    const signal = AbortSignal.timeout(this.timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${access.baseUrl}${path}`, {
        method: init.method,
        headers: {
          Accept: 'application/json',
          Authorization: `Bearer ${access.apiKey}`,
          ...init.headers,
        },
        // The key goes to the configured address and nowhere else.
        redirect: 'error',
        signal,
      });
      text = await bounded(response);
    } catch {
      // Without the cause: errors of fetch tell addresses.
      const why = signal.aborted
        ? 'does not answer in time'
        : 'cannot be reached, or breaks off';
      throw new ServiceUnavailableError(
        `Terrasift ${why}, for tenant ${tenant}`,
      );
    }
    if (response.status === 304 && init.headers) {
      return { bytes: 0 };
    }
    const body = parsed(text);
    if (!response.ok) {
      const { error, retryAfter } = failureOf(tenant, response.status, body);
      throw retryAfter ? withRetryAfter(error, response) : error;
    }
    if (!body) {
      throw new ServiceUnavailableError(
        `what answers for tenant ${tenant} is not Terrasift: its body is no JSON object`,
      );
    }
    const tag = response.headers.get('etag') ?? undefined;
    return {
      body,
      bytes: Math.max(text.length, 1),
      tag: tag && tag.length <= TAG_LENGTH_MAX ? tag : undefined,
    };
  }
}

/** An error that tells when to try again; the router sets the header. */
export class RetryLater extends ServiceUnavailableError {
  constructor(message: string, readonly seconds: number) {
    super(message);
    this.name = 'ServiceUnavailableError';
  }
}

function withRetryAfter(error: Error, response: Response): Error {
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  return seconds >= 1 && seconds <= 600
    ? new RetryLater(error.message, Math.ceil(seconds))
    : error;
}

async function bounded(response: Response): Promise<string> {
  if (!response.body) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) throw new Error('too long');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text: string): object | undefined {
  try {
    const body = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body)
      ? body
      : undefined;
  } catch {
    return undefined;
  }
}
