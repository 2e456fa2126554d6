/**
 * How every process of this program is compiled. V8 puts about 900 bytecodes of callees into a function that it
 * optimises, which cuts an order's way through the engine into a dozen calls. Five times as much makes it one function;
 * more than that slows it down again (bench/README.md).
 */
export const COMPILER_FLAGS: readonly string[] = [
  "--max-inlined-bytecode-size-cumulative=4500",
  "--max-inlined-bytecode-size=900",
];
