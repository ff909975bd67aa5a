/** Lets a loop sleep until something has happened since it last looked, or a time is over. */
export class Waker {
  #version = 0;
  #sleeper: (() => void) | undefined;

  /** Goes up with each `wake`. */
  get version(): number {
    return this.#version;
  }

  wake(): void {
    this.#version++;
    this.#sleeper?.();
  }

  /** Returns at once when `wake` was called since `version` was read. */
  async wait(version: number, ms: number): Promise<void> {
    if (this.#version !== version) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, ms);
      this.#sleeper = done;
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
    });
    this.#sleeper = undefined;
  }
}
