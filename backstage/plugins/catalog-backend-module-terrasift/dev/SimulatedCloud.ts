import { readdirSync, readFileSync, readlinkSync } from 'fs';

/** State of a socket that listens, in `/proc/net/tcp`. */
const LISTENING = '0A';

/** The simulated Terraform Cloud inside a `terrasift demo`. It does not say where it is, and is found by asking. */
export class SimulatedCloud {
  private constructor(private readonly url: string) {}

  static async of(pid: number): Promise<SimulatedCloud> {
    for (const port of listeningPorts(pid)) {
      const url = `http://127.0.0.1:${port}/_sim/workspaces`;
      const answer = await fetch(url, {
        signal: AbortSignal.timeout(2000),
      }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) return new SimulatedCloud(url);
    }
    throw new Error('the simulated Terraform Cloud cannot be found');
  }

  /** Has a workspace of a world that began anew become as it was at this serial; nobody is told. */
  async bringTo(workspace: string, serial: number): Promise<void> {
    for (let at = 1; at < serial; ) {
      const answer = await fetch(`${this.url}/${workspace}/bump`, {
        method: 'POST',
      });
      if (!answer.ok) throw new Error(`the simulator: ${answer.status}`);
      ({ serial: at } = (await answer.json()) as { serial: number });
    }
  }
}

/** Ports of IPv4 that a process listens at; of Linux. */
function listeningPorts(pid: number): number[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).map(fd => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        // Closed since it was listed.
        return '';
      }
    }),
  );
  return readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(
      ([, , , state, , , , , , inode]) =>
        state === LISTENING && sockets.has(`socket:[${inode}]`),
    )
    .map(([, local]) => parseInt(local.split(':')[1], 16));
}
