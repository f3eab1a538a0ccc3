// Pictures from the phone's camera, made small before they travel.

const LONGEST = 1600;
const QUALITY = 0.85;
/** What the server takes; a picture that this browser cannot read goes as it is, up to here. */
const MOST_BYTES = 8_000_000;

export class BadPicture extends Error {}

/** PURE. The size of a picture whose longer side is at most 1600 points. */
export function fitted(width: number, height: number): { width: number; height: number } {
  const share = Math.min(1, LONGEST / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * share)), height: Math.max(1, Math.round(height * share)) };
}

/** A JPEG of at most 1600 points without the place and time that a camera writes into it. */
export async function shrink(file: Blob): Promise<Blob> {
  const drawn = await redraw(file).catch(() => null);
  if (drawn) return drawn;
  if (file.size > MOST_BYTES || !/^image\/(jpeg|png|webp)$/.test(file.type)) throw new BadPicture();
  return file;
}

async function redraw(file: Blob): Promise<Blob | null> {
  const bitmap = await createImageBitmap(file);
  const canvas = document.createElement("canvas");
  Object.assign(canvas, fitted(bitmap.width, bitmap.height));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}
