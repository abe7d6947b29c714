// @generated from schemas/generated/openapi.json by `yarn generate`. Do not edit.
/* eslint-disable */
/** @public */
export interface paths {
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document as a page for people */
        get: operations["readDocs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process is alive */
        get: operations["isAlive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics in Prometheus' text format */
        get: operations["readMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["readOpenapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the process can serve
         * `reasons` of the problem names what is missing.
         */
        get: operations["isReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * API keys of the tenant, oldest first, also those that are over
         * What they open, until when, when they were used last; never a key's text.
         *
         *     Needs `keys:admin`.
         */
        get: operations["listKeys"];
        put?: never;
        /**
         * Makes a key, and shows it this once
         * It opens no more than what asks for it. Sent again with the same `Idempotency-Key`, it makes no second key: the answer is `key_issued_before` with the key's number, and its text is lost: rotate it.
         *
         *     Needs `keys:admin`.
         */
        post: operations["issueKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Ends a key at once: every replica refuses it from the next request on
         * Any key of the tenant, also the one that asks, and the last one that may administer keys: what has leaked must end. Done again, it changes nothing.
         *
         *     Needs `keys:admin`.
         */
        delete: operations["revokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/keys/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes a key in the place of another one, shows it this once, and lets the other one end
         * With the same name and scopes, which must be no more than what asks may do. Sent again, it makes no second key.
         *
         *     Needs `keys:admin`.
         */
        post: operations["rotateKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the sanitizer found in each state, newest first
         * By rule and count, never by value; the paths stand in the single record.
         *
         *     Needs `audit:read`.
         */
        get: operations["listSanitizations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the sanitizer found in one state, and where
         * Paths are RFC 6901 pointers into the sanitized state.
         *
         *     Needs `audit:read`.
         */
        get: operations["readSanitization"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The newest change of each entity, in the order of the tenant's feed
         * Without a cursor it begins with all there is. Everything that was committed before a page was read is in it or behind its cursor; an entity stands in a page at most once, in its newest state. `has_more` false says that the end was reached: go on with `next_cursor` and `wait`. 410 `cursor_expired` says that the feed was rebuilt: begin without a cursor, and replace what you have.
         *
         *     Needs `catalog:read`. Who has it in some namespaces only is shown these; pages can then be short, or empty although there is more.
         */
        get: operations["listChanges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/changes/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The feed as server-sent events
         * Events `change` have a `Change` as data and the cursor behind it as id; `reset` says that the feed was rebuilt: begin without a cursor. The stream ends by itself after a minute: come back with `Last-Event-ID`, which stands for `cursor`.
         *
         *     Needs `catalog:read`. Who has it in some namespaces only is shown these; pages can then be short, or empty although there is more.
         */
        get: operations["streamChanges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was given up, oldest first
         * Needs `dead-letters:read`.
         */
        get: operations["listDeadLetters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letters/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One dead letter
         * Needs `dead-letters:read`.
         */
        get: operations["readDeadLetter"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letters/{id}/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes the letter out of the queue for good
         * Done again, it changes nothing.
         *
         *     Needs `dead-letters:write`.
         */
        post: operations["discardDeadLetter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letters/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Has the letter's workspace synced anew
         * Done again, it changes nothing.
         *
         *     Needs `dead-letters:write`.
         */
        post: operations["retryDeadLetter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/entities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Live entities, oldest change first
         * Every filter that is given must hold. An entity that changes while the pages are read moves to the end and may be seen twice.
         *
         *     Needs `catalog:read`. Who has it in some namespaces only is shown these; pages can then be short, or empty although there is more.
         */
        get: operations["listEntities"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/entities/by-ref/{kind}/{namespace}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One entity, by its reference in any case
         * Needs `catalog:read`. Who has it in some namespaces only is shown these; pages can then be short, or empty although there is more.
         */
        get: operations["readEntity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/resource-types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many resources of each Terraform type there are, most first
         * Needs `catalog:read`.
         */
        get: operations["countResources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/resources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The inventory: a line a resource, oldest change first
         * Every filter that is given must hold.
         *
         *     Needs `catalog:read`. Who has it in some namespaces only is shown these; pages can then be short, or empty although there is more.
         */
        get: operations["listResources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The runs that led to what the catalog shows or showed, newest first
         * Needs `catalog:read`.
         */
        get: operations["listRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/security-audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who asked for what of this tenant, and what came of it, newest first
         * Attempts that proved no tenant are nobody's and not in it.
         *
         *     Needs `audit:read`.
         */
        get: operations["listSecurityAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snapshot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All live entities, as of the moment when reading began
         * The last page's `next_cursor` goes on at `/v1/changes`.
         *
         *     Needs `catalog:read`. Who has it in some namespaces only is shown these; pages can then be short, or empty although there is more.
         */
        get: operations["readSnapshot"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the tenant stands as a whole
         * Needs `catalog:read`.
         */
        get: operations["readStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How much was done by day, and what it costs
         * The last 30 days if `since` is left out; at most 400 days. `cost` is there where the operator has set prices.
         *
         *     Needs `usage:read`.
         */
        get: operations["readUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/terraform-cloud/{tenant_slug}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes a notification of Terraform Cloud
         * The body is what Terraform Cloud sends, signed with the token of its notification configuration. 202 says that the event is in Kafka; 200, that there was nothing to do: a verification, a duplicate, or something that changes no state.
         */
        post: operations["receiveNotification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How each workspace stands, by id
         * Needs `catalog:read`.
         */
        get: operations["listWorkspaces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces/{workspace}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How one workspace stands
         * Needs `catalog:read`.
         */
        get: operations["readWorkspace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
/** @public */
export type webhooks = Record<string, never>;
/** @public */
export interface components {
    schemas: {
        /** What happens to a match. */
        Action: "redact" | "hash" | "allow";
        /** A key as it is shown, here and by `terrasift key`. */
        ApiKey: {
            /**
             * Format: date-time
             * A moment in a schema.
             */
            created_at: string;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            expires_at?: string | null;
            /** Format: int64 */
            id: number;
            /**
             * Format: date-time
             * Up to two minutes late.
             */
            last_used_at?: string | null;
            name: string;
            /**
             * Format: int64
             * The key that it was made for by a rotation.
             */
            replaces?: number | null;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            revoked_at?: string | null;
            scopes: string[];
            /** `valid`, `expired` or `revoked`. */
            state: string;
        };
        ApiKeysPage: {
            keys: components["schemas"]["ApiKey"][];
            /** Absent on the last page. */
            next_cursor?: string | null;
        };
        /** What kind of thing a rule protects. */
        Category: "pii" | "credential" | "infrastructure";
        /** The newest change of one entity. An entity stands in a page at most once. */
        Change: {
            /** Upsert or remove. */
            change: components["schemas"]["ChangeKind"];
            /** The entity; absent on remove. */
            entity?: components["schemas"]["Entity"] | null;
            /** Lower-case reference. */
            entity_ref: components["schemas"]["EntityRef"];
            /**
             * Format: int64
             * Position in the tenant's feed; grows, with gaps.
             */
            seq: number;
        };
        /** What happened to an entity. */
        ChangeKind: "upsert" | "remove";
        /** A page of the feed or of a snapshot. */
        ChangesPage: {
            /** In order of `seq`. */
            changes: components["schemas"]["Change"][];
            /** Whether more is there already; if false, long-poll with `wait`. */
            has_more: boolean;
            /** Opaque; pass it as `cursor` to go on. Bound to tenant, feed epoch and filter. */
            next_cursor: string;
        };
        /** What the time asked for costs. */
        Cost: {
            /**
             * Format: double
             * For their bytes.
             */
            bytes: number;
            /** As it is configured, such as EUR. */
            currency: string;
            /**
             * Format: double
             * For states.
             */
            states: number;
            /**
             * Format: double
             * All of it.
             */
            total: number;
            /**
             * Format: double
             * For the workspaces that are kept, for as long as was asked.
             */
            workspaces: number;
        };
        /** A dead letter as it is shown, here and by `terrasift dlq`. */
        DeadLetter: {
            /** Its record is on `sanitization-failed`. */
            announced: boolean;
            /** Format: uint32 */
            attempts: number;
            detail: string;
            /** Format: int64 */
            id: number;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            last_at: string;
            /** Format: int64 */
            occurrences: number;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            parked_at: string;
            reason: string;
            record?: components["schemas"]["RecordPosition"] | null;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            retried_at?: string | null;
            retried_by?: string | null;
            /** Format: int64 */
            retries: number;
            /** Its retry waits to be sent to `terraform-state-updated`. */
            retry_waits: boolean;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            settled_at?: string | null;
            settled_by?: string | null;
            state: string;
            trace_id?: string | null;
            workspace?: components["schemas"]["WorkspaceId"] | null;
        };
        DeadLettersPage: {
            dead_letters: components["schemas"]["DeadLetter"][];
            /** Absent on the last page. */
            next_cursor?: string | null;
        };
        EntitiesPage: {
            entities: components["schemas"]["Entity"][];
            /** Absent on the last page. */
            next_cursor?: string | null;
        };
        /** A Backstage entity. Fields serialize in a fixed order, so equal entities have equal bytes (and digests). */
        Entity: {
            /** `terrasift.io/v1alpha1` or `backstage.io/v1alpha1`. */
            apiVersion: string;
            /** PascalCase kind. */
            kind: string;
            /** Name, namespace, annotations. */
            metadata: components["schemas"]["Metadata"];
            /** Kind-specific part, with sorted keys. */
            spec: {
                [key: string]: unknown;
            };
        };
        /** kind:namespace/name in lower case */
        EntityRef: string;
        /** What one rule did in one state. */
        Finding: {
            action: components["schemas"]["Action"];
            category: components["schemas"]["Category"];
            /**
             * Format: uint64
             * How often, among the listed detections.
             */
            count: number;
            /** Pointers into the sanitized state; lists leave them out. */
            pointers?: string[];
            /** Id of the rule. */
            rule: string;
        };
        Health: {
            /** `alive` or `ready`. */
            status: string;
        };
        /** A key that is asked for. */
        KeyWanted: {
            /**
             * Format: uint16
             * Days until it expires; 365 if it is left out.
             */
            days?: number | null;
            /** What the key is for. */
            name: string;
            /** What it opens, such as `catalog:read`, or `catalog:read-prod` for one namespace. */
            scopes: string[];
        };
        /** A link of an entity. */
        Link: {
            /** For people. */
            title: string;
            /** Absolute URL. */
            url: string;
        };
        /** `metadata` of an entity. */
        Metadata: {
            /** Annotations by Backstage's key format. */
            annotations: {
                [key: string]: string;
            };
            /** For people. */
            description?: string | null;
            /** Labels. */
            labels?: {
                [key: string]: string;
            };
            /** Links. */
            links?: components["schemas"]["Link"][];
            /** At most 63 of `[A-Za-z0-9-_.]`, alphanumeric at both ends; Terrasift emits lower case only. */
            name: string;
            /** Lower-case DNS label: the tenant's slug. */
            namespace: string;
            /** Tags: lower case, `[a-z0-9+#-:]`, at most 63. */
            tags?: string[];
            /** For people. */
            title?: string | null;
        };
        /** A key that was made just now. */
        NewApiKey: {
            /**
             * Format: date-time
             * A moment in a schema.
             */
            created_at: string;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            expires_at?: string | null;
            /** Format: int64 */
            id: number;
            /** The key itself, in this answer only. */
            key: string;
            /**
             * Format: date-time
             * Up to two minutes late.
             */
            last_used_at?: string | null;
            name: string;
            /**
             * Format: int64
             * The key that it was made for by a rotation.
             */
            replaces?: number | null;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            revoked_at?: string | null;
            scopes: string[];
            /** `valid`, `expired` or `revoked`. */
            state: string;
        };
        /**
         * Format: int64
         * The version of what turns a state into entities: `extractor * 1_000_000 + number of the rule set`. Rule sets are numbered
         *     a tenant, in the order in which they came.
         *
         *     Grows only; within a lineage `(serial, pipeline version)` is what makes one write newer than another.
         */
        PipelineVersion: number;
        /** RFC 9457, as far as every problem has it. */
        Problem: {
            /** Stable: never renamed. */
            code: string;
            /** What happened here, and how to mend it; never what was sent. */
            detail: string;
            /**
             * Format: int64
             * Number of the key that it is about.
             */
            key?: number | null;
            /** What is missing, where several things can be. */
            reasons?: string[];
            /**
             * Format: uint16
             * The status, again.
             */
            status: number;
            /** What happened, in general. */
            title: string;
            /** `urn:terrasift:problem:` and the code. */
            type: string;
        };
        /** What of the rate budget is used: requests to Terraform Cloud. Workers tell them some seconds late. */
        RateBudget: {
            /**
             * Format: int64
             * In the fullest hour of the last 31 days.
             */
            fullest_hour: number;
            /**
             * Format: int64
             * In the hour before.
             */
            last_hour: number;
            /**
             * Format: double
             * So many a second the tenant may send at most.
             */
            requests_per_second_max: number;
            /**
             * Format: int64
             * Since this hour (UTC) began.
             */
            this_hour: number;
        };
        Received: {
            /** `accepted`, `verified`, `ignored` or `duplicate`. */
            outcome: string;
        };
        /** Where a Kafka record stood. */
        RecordPosition: {
            /**
             * Format: int64
             * Offset, from 0.
             */
            offset: number;
            /**
             * Format: int32
             * Partition, from 0.
             */
            partition: number;
            /** Topic. */
            topic: string;
        };
        /** A resource. */
        ResourceLine: {
            /** Address in its state; what was redacted in it stands there as its marker. A very long one is cut. */
            address?: string | null;
            /** Its entity. */
            entity_ref: components["schemas"]["EntityRef"];
            /** Path of the module that it is in; absent in the root module. */
            module?: string | null;
            /** Owner. */
            owner?: string | null;
            /** Provider, as its type tells. */
            provider?: string | null;
            /** Terraform resource type. */
            type?: string | null;
            /** Workspace. */
            workspace?: string | null;
        };
        ResourcesPage: {
            /** Absent on the last page. */
            next_cursor?: string | null;
            resources: components["schemas"]["ResourceLine"][];
        };
        /** How many resources of a type there are. */
        ResourceTypeCount: {
            /**
             * Format: int64
             * Resources.
             */
            resources: number;
            /** Terraform resource type. */
            type: string;
            /**
             * Format: int64
             * Workspaces that have some.
             */
            workspaces: number;
        };
        ResourceTypes: {
            resource_types: components["schemas"]["ResourceTypeCount"][];
        };
        /** How a key is to be rotated; `\{\}` is as good as any. */
        RotationWanted: {
            /**
             * Format: uint16
             * Days until the new key expires; 365 if it is left out.
             */
            days?: number | null;
            /**
             * Format: uint16
             * Hours that the old key stays valid, 0 ends it at once; 24 if it is left out.
             */
            overlap_hours?: number | null;
        };
        /** A run of Terraform Cloud whose state was synced. */
        Run: {
            run: components["schemas"]["RunId"];
            /**
             * Format: int64
             * Serial of its state.
             */
            serial: number;
            state_version?: components["schemas"]["StateVersionId"] | null;
            /**
             * Format: date-time
             * When the catalog showed it.
             */
            synced_at: string;
            workspace: components["schemas"]["WorkspaceId"];
        };
        /** run- and 1 to 64 letters or digits */
        RunId: string;
        RunsPage: {
            /** Absent on the last page. */
            next_cursor?: string | null;
            runs: components["schemas"]["Run"][];
        };
        /** An audit record as it is shown, here and by `terrasift audit`. */
        Sanitization: {
            /**
             * Format: date-time
             * A moment in a schema.
             */
            at: string;
            counts: {
                [key: string]: number;
            };
            findings: components["schemas"]["Finding"][];
            /** Format: int64 */
            id: number;
            pipeline_version: components["schemas"]["PipelineVersion"];
            /**
             * Format: int64
             * Number of the tenant's rule set.
             */
            rule_set: number;
            run?: components["schemas"]["RunId"] | null;
            /** Format: int64 */
            serial: number;
            state_version?: components["schemas"]["StateVersionId"] | null;
            trace_id?: string | null;
            /**
             * Format: uint64
             * Detections that are counted but not among the findings.
             */
            truncated: number;
            workspace: components["schemas"]["WorkspaceId"];
        };
        SanitizationsPage: {
            audit: components["schemas"]["Sanitization"][];
            /** Absent on the last page. */
            next_cursor?: string | null;
        };
        SecurityAuditPage: {
            /** Absent on the last page. */
            next_cursor?: string | null;
            records: components["schemas"]["SecurityRecord"][];
        };
        /** A record of the security audit. */
        SecurityRecord: {
            /** Method, or command. */
            action: string;
            /** Who: a key or a token by its name, a person at the command line. */
            actor: string;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            at: string;
            /** Address of the client; empty where it is not known, and for the command line. */
            client: string;
            /** Status, or code of the problem. */
            code: string;
            outcome: string;
            /** Route, with numbers in it. */
            resource: string;
            trace_id: string;
        };
        /** sv- and 1 to 64 letters or digits */
        StateVersionId: string;
        /** How a tenant stands. */
        Status: {
            /**
             * Format: int64
             * Generation of its feed: another one makes all cursors void.
             */
            feed_epoch: number;
            /**
             * Format: int64
             * Position of its last change.
             */
            head: number;
            /**
             * Format: date-time
             * When the catalog was last known to be right for some workspace.
             */
            last_synced_at?: string | null;
            /**
             * Format: date-time
             * The same for the workspace that was longest not looked at.
             */
            oldest_synced_at?: string | null;
            /**
             * Format: int64
             * Dead letters that wait for somebody.
             */
            open_dead_letters: number;
            /** Its slug, which is its namespace. */
            slug: string;
            /**
             * Format: int64
             * Of these: shown as stale, because upstream cannot be read.
             */
            stale_workspaces: number;
            /**
             * Format: int64
             * Of these: never synced.
             */
            waiting_workspaces: number;
            /**
             * Format: int64
             * Known workspaces.
             */
            workspaces: number;
        };
        Usage: {
            budget: components["schemas"]["RateBudget"];
            cost?: components["schemas"]["Cost"] | null;
            days: components["schemas"]["UsageDay"][];
            /**
             * Format: int64
             * Live entities that are kept now.
             */
            entities: number;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            since: string;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            until: string;
            /**
             * Format: int64
             * Workspaces that are kept now.
             */
            workspaces: number;
        };
        /** What was done on a day (UTC); days without anything are left out. */
        UsageDay: {
            /**
             * Format: int64
             * Their bytes; 0 for those of before this was counted.
             */
            bytes: number;
            /**
             * Format: int64
             * Redactions of credentials.
             */
            credential: number;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            day: string;
            /**
             * Format: int64
             * Redactions of infrastructure.
             */
            infrastructure: number;
            /**
             * Format: int64
             * Redactions of personal data.
             */
            pii: number;
            /**
             * Format: int64
             * States sanitized.
             */
            states: number;
        };
        /** Sync status of one workspace. Absent members are not known yet. */
        Workspace: {
            pipeline_version?: components["schemas"]["PipelineVersion"] | null;
            /** Format: int64 */
            resource_count: number;
            /**
             * Format: int64
             * Number of the rule set that its state was sanitized with.
             */
            rule_set?: number | null;
            /** Format: int64 */
            serial?: number | null;
            stale: boolean;
            stale_reason?: string | null;
            /** Format: int64 */
            state_bytes: number;
            state_version?: components["schemas"]["StateVersionId"] | null;
            /**
             * Format: date-time
             * A moment in a schema.
             */
            synced_at?: string | null;
            workspace: components["schemas"]["WorkspaceId"];
        };
        /** ws- and 1 to 64 letters or digits */
        WorkspaceId: string;
        Workspaces: {
            workspaces: components["schemas"]["Workspace"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
/** @public */
export type $defs = Record<string, never>;
/** @public */
export interface operations {
    readDocs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": string;
                };
            };
        };
    };
    isAlive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done; not to be kept */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    readMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain; version=0.0.4": string;
                };
            };
        };
    };
    readOpenapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    isReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done; not to be kept */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** `not_ready` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listKeys: {
        parameters: {
            query?: {
                /** `next_cursor` of the page before, unchanged; it goes on with the route and the filters that it came from */
                cursor?: string;
                /** Most entries of a page */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeysPage"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `cursor_invalid`, `cursor_filter_changed`, `limit_out_of_range`, `query_parameter_unknown`, `query_parameter_repeated` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    issueKey: {
        parameters: {
            query?: never;
            header?: {
                /** Names this request: sent again with it, nothing is made a second time */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeyWanted"];
            };
        };
        responses: {
            /** made; not to be kept */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiKey"];
                };
            };
            /** `payload_invalid`, `body_unreadable`, `key_invalid`, `idempotency_key_invalid`, `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing`, `scope_escalation` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `key_issued_before`, `keys_too_many` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable`, `overloaded` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revokeKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** Its number */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done; not to be kept */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"];
                };
            };
            /** `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `key_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rotateKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** Its number */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RotationWanted"];
            };
        };
        responses: {
            /** done; not to be kept */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiKey"];
                };
            };
            /** `payload_invalid`, `body_unreadable`, `key_invalid`, `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing`, `scope_escalation` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `key_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `key_rotated_before`, `key_over` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable`, `overloaded` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSanitizations: {
        parameters: {
            query?: {
                /** Only states in which something of this category was found */
                category?: "pii" | "credential" | "infrastructure";
                /** `next_cursor` of the page before, unchanged; it goes on with the route and the filters that it came from */
                cursor?: string;
                /** Most entries of a page */
                limit?: number;
                /** Only states in which this rule found something */
                rule?: string;
                /** At this moment or later */
                since?: string;
                /** Before this moment */
                until?: string;
                /** Only what this workspace has */
                workspace?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SanitizationsPage"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `cursor_invalid`, `cursor_filter_changed`, `limit_out_of_range`, `filter_invalid`, `query_parameter_unknown`, `query_parameter_repeated` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readSanitization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** Its number */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sanitization"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `audit_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listChanges: {
        parameters: {
            query?: {
                /** `next_cursor` of the page before, unchanged; it goes on with the route and the filters that it came from */
                cursor?: string;
                /** Only entities of this kind, in any case */
                kind?: string;
                /** Most entries of a page */
                limit?: number;
                /** Seconds to wait for a change where there is none yet */
                wait?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangesPage"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `cursor_invalid`, `cursor_filter_changed`, `limit_out_of_range`, `wait_out_of_range`, `kind_invalid`, `query_parameter_unknown`, `query_parameter_repeated` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `cursor_expired` */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    streamChanges: {
        parameters: {
            query?: {
                /** `next_cursor` of the page before, unchanged; it goes on with the route and the filters that it came from */
                cursor?: string;
                /** Only entities of this kind, in any case */
                kind?: string;
                /** Most entries of a page */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** events, each of this shape */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": {
                        data: string;
                        /** \{unknown\} */
                        event: "change" | "reset";
                        id?: string;
                    };
                };
            };
            /** `cursor_invalid`, `cursor_filter_changed`, `limit_out_of_range`, `kind_invalid`, `query_parameter_unknown`, `query_parameter_repeated` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `cursor_expired` */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDeadLetters: {
        parameters: {
            query?: {
                /** `next_cursor` of the page before, unchanged; it goes on with the route and the filters that it came from */
                cursor?: string;
                /** Most entries of a page */
                limit?: number;
                /** Only letters for this reason, such as `state_refused` */
                reason?: string;
                /** At this moment or later */
                since?: string;
                /** Only letters in this state; `open` if it is left out */
                state?: "open" | "retried" | "discarded" | "closed" | "all";
                /** Only what this workspace has */
                workspace?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLettersPage"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `cursor_invalid`, `cursor_filter_changed`, `limit_out_of_range`, `filter_invalid`, `query_parameter_unknown`, `query_parameter_repeated` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readDeadLetter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** Its number */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetter"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `dead_letter_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    discardDeadLetter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** Its number */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done; not to be kept */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetter"];
                };
            };
            /** `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `dead_letter_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `dead_letter_settled`, `dead_letter_not_retryable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retryDeadLetter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** Its number */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done; not to be kept */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetter"];
                };
            };
            /** `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `dead_letter_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `dead_letter_settled`, `dead_letter_not_retryable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEntities: {
        parameters: {
            query?: {
                /** Only entities with this annotation: its key, or `key=value` */
                annotation?: string;
                /** `next_cursor` of the page before, unchanged; it goes on with the route and the filters that it came from */
                cursor?: string;
                /** Only entities of this kind, in any case */
                kind?: string;
                /** Most entries of a page */
                limit?: number;
                /** Only entities of this name, in any case */
                name?: string;
                /** Only entities in this namespace, in any case */
                namespace?: string;
                /** Only entities with exactly this `spec.owner` */
                owner?: string;
                /** Only entities whose name begins so, in any case */
                prefix?: string;
                /** Only what this workspace has */
                workspace?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntitiesPage"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `cursor_invalid`, `cursor_filter_changed`, `limit_out_of_range`, `kind_invalid`, `filter_invalid`, `query_parameter_unknown`, `query_parameter_repeated` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `cursor_expired` */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readEntity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** Kind of the entity */
                kind: string;
                /** Name of the entity */
                name: string;
                /** Namespace of the entity */
                namespace: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entity"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `entity_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    countResources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResourceTypes"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listResources: {
        parameters: {
            query?: {
                /** `next_cursor` of the page before, unchanged; it goes on with the route and the filters that it came from */
                cursor?: string;
                /** Most entries of a page */
                limit?: number;
                /** Only resources in this module or below it, such as `module.network` */
                module?: string;
                /** Only resources whose entity's name begins so */
                prefix?: string;
                /** Only resources of this Terraform type, such as `aws_s3_bucket` */
                type?: string;
                /** Only what this workspace has */
                workspace?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResourcesPage"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `cursor_invalid`, `cursor_filter_changed`, `limit_out_of_range`, `filter_invalid`, `query_parameter_unknown`, `query_parameter_repeated` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `cursor_expired` */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRuns: {
        parameters: {
            query?: {
                /** `next_cursor` of the page before, unchanged; it goes on with the route and the filters that it came from */
                cursor?: string;
                /** Most entries of a page */
                limit?: number;
                /** Only what this workspace has */
                workspace?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunsPage"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `cursor_invalid`, `cursor_filter_changed`, `limit_out_of_range`, `filter_invalid`, `query_parameter_unknown`, `query_parameter_repeated` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSecurityAudit: {
        parameters: {
            query?: {
                /** `next_cursor` of the page before, unchanged; it goes on with the route and the filters that it came from */
                cursor?: string;
                /** Most entries of a page */
                limit?: number;
                /** Only records with this outcome */
                outcome?: "ok" | "denied" | "cross_tenant" | "invalid" | "failed" | "abandoned" | "gap";
                /** At this moment or later */
                since?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecurityAuditPage"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `cursor_invalid`, `cursor_filter_changed`, `limit_out_of_range`, `filter_invalid`, `query_parameter_unknown`, `query_parameter_repeated` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readSnapshot: {
        parameters: {
            query?: {
                /** `next_cursor` of the page before, unchanged; it goes on with the route and the filters that it came from */
                cursor?: string;
                /** Only entities of this kind, in any case */
                kind?: string;
                /** Most entries of a page */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangesPage"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `cursor_invalid`, `cursor_filter_changed`, `limit_out_of_range`, `kind_invalid`, `query_parameter_unknown`, `query_parameter_repeated` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `cursor_expired` */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readStatus: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readUsage: {
        parameters: {
            query?: {
                /** At this moment or later */
                since?: string;
                /** Before this moment */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Usage"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `filter_invalid`, `query_parameter_unknown`, `query_parameter_repeated` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    receiveNotification: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** The tenant's slug */
                tenant_slug: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** there was nothing to do */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Received"];
                };
            };
            /** accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Received"];
                };
            };
            /** `body_unreadable`, `payload_invalid`, `too_many_notifications` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `source_not_allowed` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `overloaded`, `event_bus_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listWorkspaces: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workspaces"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readWorkspace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** Id of the workspace */
                workspace: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** done */
            200: {
                headers: {
                    /** for `If-None-Match` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workspace"];
                };
            };
            /** as you have it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** `query_parameter_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `scope_missing` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `workspace_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `store_unavailable`, `issuer_unavailable` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
