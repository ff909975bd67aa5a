/**
 * A packed data directory (an uncompressed tar) that many databases start from. A Blob copies its bytes each time they are
 * asked for, which for the 20 MB of a directory costs more than unpacking them; this one hands out the bytes it holds.
 * PGlite only reads them.
 */
export function directoryImage(bytes: ArrayBuffer | SharedArrayBuffer): Blob {
  return Object.defineProperties(new Blob([]), {
    size: { value: bytes.byteLength },
    arrayBuffer: { value: () => Promise.resolve(bytes) },
  });
}

/** The bytes of an image in memory that other threads see too: handing them over copies nothing. */
export async function sharedBytes(image: Blob): Promise<SharedArrayBuffer> {
  const bytes = await image.arrayBuffer();
  const shared = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(shared).set(new Uint8Array(bytes));
  return shared;
}
