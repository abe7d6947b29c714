import type { components } from './openapi.generated';

/**
 * A body of Terrasift's API, by its name in the OpenAPI document.
 *
 * @public
 */
export type TerrasiftSchema<Name extends keyof components['schemas']> =
  components['schemas'][Name];
