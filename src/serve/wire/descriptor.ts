/** What Node keeps of a socket and does not type. */
interface Handled {
  readonly _handle?: { readonly fd?: number } | null;
}

/** The file descriptor of a socket; undefined where there is none (Windows), or when it is closed. */
export function descriptorOf(socket: object): number | undefined {
  const fd = (socket as Handled)._handle?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}
