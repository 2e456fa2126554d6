import { Side } from "./codes.ts";
import type { LevelBook } from "./level-book.ts";

/** Top of book: the best shown price of each side and what is shown there, as it stood at the last `update`. */
export class Touch {
  /** 0: the side shows nothing. */
  bidPrice = 0;
  bidQuantity = 0;
  askPrice = 0;
  askQuantity = 0;
  private readonly levels: LevelBook;

  /** Follows what `levels` follows. */
  constructor(levels: LevelBook) {
    this.levels = levels;
    this.update();
  }

  /** To be called after a whole request or batch. Whether anything is other than before. */
  update(): boolean {
    const bidPrice = this.levels.bestPrice(Side.BUY);
    const bidQuantity = this.levels.bestQuantity(Side.BUY);
    const askPrice = this.levels.bestPrice(Side.SELL);
    const askQuantity = this.levels.bestQuantity(Side.SELL);
    const isSame =
      bidPrice === this.bidPrice &&
      bidQuantity === this.bidQuantity &&
      askPrice === this.askPrice &&
      askQuantity === this.askQuantity;
    this.bidPrice = bidPrice;
    this.bidQuantity = bidQuantity;
    this.askPrice = askPrice;
    this.askQuantity = askQuantity;
    return !isSame;
  }
}
