// What the JavaScript clients share: each check is one line of JSON on standard output.
export const OWNER = process.env.SEG_CLIENT_OWNER;
export const READER = process.env.SEG_CLIENT_READER;

/** Parameters of one statement, and what they add up to. */
export const MANY = Array.from({ length: 300 }, (_, index) => index + 1);
export const SUM_OF_MANY = 45_150;

/** Runs checks by name, in their order; a check that throws has failed, and the next one runs. */
export async function runChecks(checks) {
  for (const [check, run] of Object.entries(checks)) {
    try {
      await run();
      console.log(JSON.stringify({ check, ok: true }));
    } catch (error) {
      console.log(JSON.stringify({ check, ok: false, error: error.stack ?? String(error) }));
    }
  }
}
