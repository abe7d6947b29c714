import { TerrasiftClient } from './TerrasiftClient';

describe('TerrasiftClient', () => {
  const fetch = jest.fn();
  const client = new TerrasiftClient({
    discoveryApi: { getBaseUrl: async id => `http://backend/api/${id}` },
    fetchApi: { fetch },
  });
  beforeEach(() => fetch.mockReset());

  it('asks for what is meant, and nothing that a text could add', async () => {
    fetch.mockImplementation(async () => new Response('{}'));
    await client.resources('a/b', { type: 'x&limit=1', cursor: undefined });
    await client.workspace('acme', '../status');
    await client.decide('acme', 7, 'retry');
    expect(fetch.mock.calls.map(([url, { method }]) => [method, url])).toEqual([
      [
        'GET',
        'http://backend/api/terrasift/tenants/a%2Fb/resources?type=x%26limit%3D1',
      ],
      [
        'GET',
        'http://backend/api/terrasift/tenants/acme/workspaces/..%2Fstatus',
      ],
      [
        'POST',
        'http://backend/api/terrasift/tenants/acme/dead-letters/7/retry',
      ],
    ]);
  });

  it('fails with what the backend says', async () => {
    const body = {
      error: { name: 'NotFoundError', message: 'no such' },
      request: { method: 'GET', url: '/' },
      response: { statusCode: 404 },
    };
    fetch.mockImplementation(
      async () =>
        new Response(JSON.stringify(body), {
          status: 404,
          headers: { 'content-type': 'application/json' },
        }),
    );
    await expect(client.status('acme')).rejects.toMatchObject({
      statusCode: 404,
      body,
    });
  });
});
