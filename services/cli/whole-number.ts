import { InvalidArgumentError } from "commander";

/** Reads an option's text as a whole number in `[min, max]`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`'${text}' is not a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** Reads an option's text as a whole number, which may be below 0. */
export function signedNumber(text: string): number {
  const value = Number(text);
  if (!/^[+-]?[0-9]+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(`'${text}' is not a whole number`);
  }
  return value;
}
