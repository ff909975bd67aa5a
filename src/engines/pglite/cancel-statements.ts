/** How to end what the embedded servers of this thread execute. By itself, so that it is there before PGlite is loaded. */
const cancels = new Set<() => void>();

/** @returns the function that takes it back */
export function onCancelStatements(cancel: () => void): () => void {
  cancels.add(cancel);
  return () => cancels.delete(cancel);
}

/** Called in the middle of a statement (evaluate.ts), which then fails with 57014. */
export function cancelStatements(): void {
  for (const cancel of cancels) cancel();
}
