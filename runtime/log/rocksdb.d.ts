/** What is used of the binding, which publishes no types. */
declare module "@nxtedition/rocksdb" {
  export interface RocksRange {
    readonly gte: Uint8Array;
    readonly lt: Uint8Array;
    readonly reverse?: boolean;
    readonly limit?: number;
    readonly highWaterMarkBytes?: number;
    /** False: only values are read. */
    readonly keys?: boolean;
    readonly keyEncoding: "buffer";
    readonly valueEncoding: "buffer";
  }

  /** Keys and values in turn; undefined in place of a key that was not asked for. */
  export interface RocksRows {
    readonly rows: Buffer[];
    readonly finished: boolean;
  }

  export interface RocksIterator {
    _nextvSync(size: number): RocksRows;
    _closeSync(): void;
    close(): Promise<void>;
  }

  export interface RocksBatch {
    _put(key: Uint8Array, value: Uint8Array): void;
    _del(key: Uint8Array): void;
    _writeSync(options: { readonly sync: boolean }): void;
    close(): Promise<void>;
  }

  export interface RocksOptions {
    readonly keyEncoding: "buffer";
    readonly valueEncoding: "buffer";
  }

  export interface RocksOpenOptions {
    readonly createIfMissing: boolean;
    readonly walCompression: boolean;
    readonly compression: boolean;
    readonly parallelism: number;
  }

  export class RocksLevel {
    constructor(location: string, options: RocksOptions);
    open(options: RocksOpenOptions): Promise<void>;
    close(): Promise<void>;
    batch(): RocksBatch;
    iterator(options: RocksRange): RocksIterator;
    querySync(options: RocksRange): RocksRows;
    _getManySync(keys: readonly Uint8Array[], options: object): (Buffer | undefined)[];
  }
}
