export interface Config {
  terrasift?: {
    /**
     * Address of Terrasift's API, for the tenants that name none of their own.
     */
    baseUrl?: string;

    tenants?: {
      [id: string]: {
        /**
         * Address of Terrasift's API for this tenant.
         */
        baseUrl?: string;
        /**
         * A key of the tenant. The cards need its scopes `catalog:read`, `audit:read`, `usage:read`,
         * `dead-letters:read` and `dead-letters:write`; what it lacks is shown as not available.
         * @visibility secret
         */
        apiKey: string;
        /**
         * Users and groups that see the tenant: its entities, its cards and what was redacted. References such as
         * `group:default/platform`. Nobody, if left out.
         */
        grants?: string[];
        /**
         * Users and groups that see it as well, and its page for operators: usage and dead letters, which they may
         * retry and discard.
         */
        admins?: string[];
      };
    };

    cards?: {
      /**
       * How long an answer of Terrasift is waited for. Default: 10 seconds.
       */
      timeoutMs?: number;
      /**
       * How long an answer is shown again without asking. Default: 5 seconds; 0 asks each time.
       */
      freshMs?: number;
      /**
       * How much memory answers may take that are kept for their entity tags. Default: 32 MiB.
       */
      cacheBytes?: number;
    };
  };
}
