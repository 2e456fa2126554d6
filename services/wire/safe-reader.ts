import { BinaryReader } from "@bufbuild/protobuf/wire";

/**
 * Reads messages of strangers. An integer past 2^53 - 1 is never rounded: it is read as the nearest safe integer and
 * `outOfRange` says so, so that the message it stands in can still be refused by name.
 */
export class SafeReader extends BinaryReader {
  outOfRange = false;

  override int64(): bigint | string {
    return this.#clamp(super.int64());
  }

  override uint64(): bigint | string {
    return this.#clamp(super.uint64());
  }

  override sint64(): bigint | string {
    return this.#clamp(super.sint64());
  }

  #clamp(value: bigint | string): bigint | string {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return value;
    this.outOfRange = true;
    return String(number < 0 ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER);
  }
}
