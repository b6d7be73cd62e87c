/**
 * Bob Jenkins' lookup3 with 64 bits of result, as PostgreSQL's `hash_any_extended` computes it with seed 0 on a
 * little-endian machine. Hash partitions rest on it, so a server never changes it.
 * Source: PostgreSQL, src/common/hashfn.c, hash_bytes_extended.
 */
export class Lookup3 {
  /** The upper and lower half of the last hash, unsigned. */
  high = 0
  low = 0

  hash(view: DataView, start: number, length: number): void {
    let a = (0x9e3779b9 + length + 3923095) | 0
    let b = a
    let c = a
    let at = start
    let left = length
    for (; left >= 12; left -= 12, at += 12) {
      a = (a + view.getInt32(at, true)) | 0
      b = (b + view.getInt32(at + 4, true)) | 0
      c = (c + view.getInt32(at + 8, true)) | 0
      a = ((a - c) | 0) ^ ((c << 4) | (c >>> 28))
      c = (c + b) | 0
      b = ((b - a) | 0) ^ ((a << 6) | (a >>> 26))
      a = (a + c) | 0
      c = ((c - b) | 0) ^ ((b << 8) | (b >>> 24))
      b = (b + a) | 0
      a = ((a - c) | 0) ^ ((c << 16) | (c >>> 16))
      c = (c + b) | 0
      b = ((b - a) | 0) ^ ((a << 19) | (a >>> 13))
      a = (a + c) | 0
      c = ((c - b) | 0) ^ ((b << 4) | (b >>> 28))
      b = (b + a) | 0
    }
    a = (a + word(view, at, left)) | 0
    b = (b + word(view, at + 4, left - 4)) | 0
    // The lowest byte of c belongs to the length.
    c = (c + (word(view, at + 8, left - 8) << 8)) | 0
    c = ((c ^ b) - ((b << 14) | (b >>> 18))) | 0
    a = ((a ^ c) - ((c << 11) | (c >>> 21))) | 0
    b = ((b ^ a) - ((a << 25) | (a >>> 7))) | 0
    c = ((c ^ b) - ((b << 16) | (b >>> 16))) | 0
    a = ((a ^ c) - ((c << 4) | (c >>> 28))) | 0
    b = ((b ^ a) - ((a << 14) | (a >>> 18))) | 0
    c = ((c ^ b) - ((b << 24) | (b >>> 8))) | 0
    this.high = b >>> 0
    this.low = c >>> 0
  }
}

/** Up to four bytes as a little-endian number, of which `length` are there. */
function word(view: DataView, at: number, length: number): number {
  if (length >= 4) return view.getInt32(at, true)
  if (length <= 0) return 0
  let bytes = view.getUint8(at)
  if (length > 1) bytes |= view.getUint8(at + 1) << 8
  if (length > 2) bytes |= view.getUint8(at + 2) << 16
  return bytes
}
