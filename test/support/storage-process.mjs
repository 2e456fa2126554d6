// A storage job in a process of its own, with a writer that appends one entry after the other and tells of each answer.
// Arguments: data folder, number of entries. Runs from dist/.
import { writeSync } from "node:fs";
import { pino } from "pino";
import {
  EntryKind,
  LogRequest,
  LogResponse,
  LogStatus,
} from "../../dist/proto/generated/evercross/v1/log.js";
import { jobName } from "../../dist/runtime/job/name.js";
import { GENESIS_CHAIN, sealEntry } from "../../dist/runtime/log/entry.js";
import { storageDefinition } from "../../dist/runtime/log/storage-service.js";
import { MemoryBus } from "../../dist/runtime/messaging/memory-bus.js";
import { jobSubject } from "../../dist/runtime/messaging/subject.js";

const [dataDir, count] = process.argv.slice(2);
const tell = (line) => writeSync(1, `${line}\n`);
const job = "counter/a";
const storage = jobName("storage", "0");
const bus = new MemoryBus();

function fail(reason) {
  tell(`failed: ${reason}`);
  process.exit(3);
}

const context = { job: storage, cluster: "test", node: "n1", instance: "i1", dataDir, bus, fail };
const logger = pino({ level: "warn" }, { write: (line) => tell(`log: ${line.trim()}`) });
const running = await storageDefinition(new Map()).start({ ...context, logger });
const subject = jobSubject("test", storage, "in");

async function ask(body) {
  const answer = LogResponse.decode(
    await bus.request(subject, LogRequest.encode({ job, body, committed: 0 }).finish(), 30_000),
  );
  if (answer.status !== LogStatus.OK) fail(answer.detail);
}

await ask({ $case: "open", value: { epoch: 1 } });
tell("acknowledged epoch 1");
let chain = GENESIS_CHAIN;
for (let seq = 1; seq <= Number(count); seq++) {
  const payload = Buffer.from(`payload-${seq}-`);
  const fields = { job, epoch: 1, seq, prevEpoch: seq === 1 ? 0 : 1, kind: EntryKind.DATA, payload };
  const entry = sealEntry(fields, chain);
  chain = entry.chain;
  await ask({ $case: "append", value: entry });
  tell(`acknowledged entry ${seq}`);
}
await running.stop();
