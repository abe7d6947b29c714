import { ConfigReader } from '@backstage/config';
import { readFeedOptions, readTenants } from './config';

const read = (terrasift: any) => readTenants(new ConfigReader({ terrasift }));
const acme = { apiKey: 'key' };

describe('readTenants', () => {
  it('takes addresses from the tenant, else from all', () => {
    const tenants = read({
      baseUrl: 'https://terrasift.example.com/',
      tenants: {
        acme,
        apex: { ...acme, baseUrl: 'http://apex:8080', enabled: false },
      },
    });
    expect(tenants).toEqual([
      {
        id: 'acme',
        baseUrl: 'https://terrasift.example.com',
        apiKey: 'key',
        enabled: true,
      },
      {
        id: 'apex',
        baseUrl: 'http://apex:8080',
        apiKey: 'key',
        enabled: false,
      },
    ]);
  });

  it('needs nothing', () => {
    expect(readTenants(new ConfigReader({}))).toEqual([]);
  });

  it.each([
    [
      'no address',
      { tenants: { acme } },
      'terrasift.tenants.acme: set baseUrl',
    ],
    [
      'an id that is none',
      { baseUrl: 'https://t', tenants: { 'Acme Inc': acme } },
      'an id is 1 to 63',
    ],
    [
      'an address with a password in it',
      { baseUrl: 'https://me:secret@t', tenants: { acme } },
      'without user, query or fragment',
    ],
    [
      'an address that is none',
      { baseUrl: 'terrasift', tenants: { acme } },
      'has to be like https://',
    ],
  ])('refuses %s', (_, config, message) => {
    let said = '';
    try {
      read(config);
    } catch (error) {
      said = String(error);
    }
    expect(said).toContain(message);
    expect(said).not.toContain('secret');
  });
});

describe('readFeedOptions', () => {
  it('has defaults', () => {
    expect(readFeedOptions(new ConfigReader({}))).toEqual({
      pageSize: 500,
      compareEveryMs: 3_600_000,
      settleMs: 60_000,
      leaseMs: 30_000,
      removals: { maxPercent: 20, alwaysAllowed: 100 },
    });
  });

  it.each([
    ['pageSize', 1001],
    ['removals.maxPercent', 101],
    ['removals.alwaysAllowed', -1],
  ])('refuses %s of %s', (key, value) => {
    const [outer, inner] = key.split('.');
    const catalog = { [outer]: inner ? { [inner]: value } : value };
    expect(() =>
      readFeedOptions(new ConfigReader({ terrasift: { catalog } })),
    ).toThrow(`terrasift.catalog.${key}: expected a whole number`);
  });
});
