/**
 * What our tests and the dev app run beside Backstage. Ends with whoever started it, however that ended.
 *
 * @packageDocumentation
 */

export { Demo } from './Demo';
export type { DemoTenant } from './Demo';
export { close, listen } from './loopback';
export { freePort, PrivatePostgres } from './PrivatePostgres';
export { until } from './until';
export { EXAMPLE_PERSON_HEADER, examplePeople } from './examplePeople';
