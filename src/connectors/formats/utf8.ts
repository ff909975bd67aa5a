const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text, a byte order mark included; null when they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

/** Why a record is rejected whose bytes are not UTF-8. */
export function notUtf8(what: string): string {
  return `the ${what} is not UTF-8 (the payload shows it read as Latin-1)`;
}
