import { Counter, Gauge, metrics } from '@opentelemetry/api';

/** What the host's metrics tell about the providers; every one has the label `tenant`. */
export class FeedMetrics {
  readonly changes: Counter;
  readonly failures: Counter;
  readonly rejected: Counter;
  readonly withheld: Gauge;
  readonly differences: Gauge;
  readonly comparisons: Counter;
  readonly followedAt: Gauge;

  constructor() {
    const meter = metrics.getMeter('terrasift');
    this.changes = meter.createCounter('terrasift_provider_changes', {
      description: 'Changes applied to the catalog, by `change`',
    });
    this.failures = meter.createCounter('terrasift_provider_failures', {
      description: 'Times that the feed could not be followed, by `kind`',
    });
    this.rejected = meter.createCounter('terrasift_provider_rejected', {
      description:
        'Entities that the catalog would refuse, and that were left out',
    });
    this.withheld = meter.createGauge('terrasift_provider_removals_withheld', {
      description: 'Removals kept back by the guard against mass removal',
    });
    this.differences = meter.createGauge('terrasift_provider_differences', {
      description: 'What the last comparison found, by `kind`',
    });
    this.comparisons = meter.createCounter('terrasift_provider_comparisons', {
      description: 'Comparisons that were made, by `outcome`',
    });
    this.followedAt = meter.createGauge('terrasift_provider_followed_at', {
      description: 'When the end of the feed was last reached',
      unit: 's',
    });
  }
}
