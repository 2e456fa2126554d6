import type { Instrument } from "../../engine/instrument.ts";
import type { Command } from "./flow.ts";
import type { Driver } from "./scenario-drivers.ts";
import { parseLine } from "./scenario-language.ts";
import { Names } from "./scenario-names.ts";
import { Telling } from "./scenario-telling.ts";

/**
 * Runs a scenario file: blocks of commands, a line of four dashes, what the commands give, and an empty line. Lines that
 * begin with `#` are prose.
 */
export class ScenarioRun {
  private driver: Driver;
  private readonly create: (instrument: Instrument) => Driver;
  private readonly names = new Names();
  private readonly telling = new Telling(this.names);
  /** What a command leaves pending waits for `proceed`. */
  private holds = false;

  constructor(create: (instrument: Instrument) => Driver, instrument: Instrument) {
    this.create = create;
    this.driver = create(instrument);
  }

  /** Runs a whole file; returns it with the answers that were given. */
  run(text: string): string {
    const blocks = text.trimEnd().split(/\n\n+/);
    return `${blocks.map((block) => this.block(block)).join("\n\n")}\n`;
  }

  private block(block: string): string {
    const [said = ""] = block.split("\n----");
    const lines = said.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    if (lines.length === 0) return block;
    return [said, "----", ...lines.flatMap((line) => this.line(line))].join("\n");
  }

  private line(text: string): string[] {
    const line = parseLine(text, this.names);
    switch (line.say) {
      case "instrument":
        this.driver = this.create(line.instrument);
        return [];
      case "account":
        this.driver.configureAccount(line.account, line.rules);
        return [];
      case "hold":
        this.holds = true;
        return [];
      case "book":
        return this.telling.book([...this.driver.orders()]);
      case "proceed":
        return this.tell("proceed");
      case "command":
        return this.tell(line.command);
    }
  }

  private tell(command: Command | "proceed"): string[] {
    const { driver } = this;
    const events = driver.tell(command);
    if (!this.holds) while (driver.pending) events.push(...driver.tell("proceed"));
    return [...this.telling.events(events), ...(driver.pending ? ["(more is to follow)"] : [])];
  }
}
