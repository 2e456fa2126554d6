import { Announcement } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { InstanceId } from "../monitor/instance.ts";
import type { Bus, BusSubscription } from "./bus.ts";
import { monitorSubject } from "./subject.ts";

/** What is announced of some roles' restarts, heard by all that watch them and all that they watch. */
export class AnnouncementEar {
  readonly #cluster: string;
  readonly #bus: Bus;
  readonly #onAnnouncement: (announcement: Announcement) => void;
  readonly #subscriptions = new Map<string, BusSubscription>();

  constructor(cluster: string, bus: Bus, onAnnouncement: (announcement: Announcement) => void) {
    this.#cluster = cluster;
    this.#bus = bus;
    this.#onAnnouncement = onAnnouncement;
  }

  /** Hears of these roles from now on, and of no others. */
  listen(roles: readonly string[]): void {
    const wanted = new Set(roles);
    for (const [role, subscription] of this.#subscriptions) {
      if (wanted.has(role)) continue;
      subscription.unsubscribe();
      this.#subscriptions.delete(role);
    }
    for (const role of wanted) {
      if (this.#subscriptions.has(role)) continue;
      const subject = monitorSubject(this.#cluster, role, "announce");
      this.#subscriptions.set(
        role,
        this.#bus.subscribe(subject, ({ data }) => {
          this.#hear(data);
        }),
      );
    }
  }

  announce(announcement: {
    readonly role: string;
    readonly node: string;
    readonly byRole: string;
    readonly by: InstanceId;
    readonly cause: string;
  }): void {
    const { role, node, byRole, by, cause } = announcement;
    const data = Announcement.encode({ role, node, byRole, by, cause }).finish();
    this.#bus.publish(monitorSubject(this.#cluster, role, "announce"), data);
  }

  close(): void {
    this.listen([]);
  }

  #hear(data: Uint8Array): void {
    let announcement: Announcement;
    try {
      announcement = Announcement.decode(data);
    } catch {
      // Nobody's life hangs on it: who cannot be understood is not heard.
      return;
    }
    this.#onAnnouncement(announcement);
  }
}
