import type { Locator, Page } from 'playwright-core';

/** Goes through the pages by clicks alone, as somebody would who has never seen them; counts them. */
export class Newcomer {
  clicks = 0;

  readonly #start: string;

  constructor(
    readonly page: Page,
    start: string,
  ) {
    this.#start = start;
  }

  /** A question begins where everybody begins. */
  async ask(): Promise<void> {
    this.clicks = 0;
    await this.page.goto(this.#start);
  }

  async click(what: Locator): Promise<void> {
    this.clicks++;
    await what.click();
  }
}

/** Fills in the reason that an action asks for. */
export async function giveReason(page: Page, reason: string): Promise<void> {
  await page.getByRole('dialog').getByLabel('Reason').fill(reason);
}

/** Asks for an action by its button, with a reason. */
export async function act(button: Locator, reason: string): Promise<void> {
  const page = button.page();
  const name = await button.innerText();
  await button.click();
  await giveReason(page, reason);
  await page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}
