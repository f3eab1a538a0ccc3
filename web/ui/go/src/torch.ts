import { useEffect, useRef, useState } from "preact/hooks";

type TorchTrack = MediaStreamTrack & {
  applyConstraints(constraints: { advanced: { torch: boolean }[] }): Promise<void>;
};

/** The phone's light, where the browser can reach it; null where it cannot. */
export function useTorch(): { on: boolean; toggle: () => void } | null {
  const able = "mediaDevices" in navigator && "torch" in supported();
  const track = useRef<TorchTrack | null>(null);
  const [on, setOn] = useState(false);
  useEffect(() => () => track.current?.stop(), []);
  if (!able) return null;
  const toggle = async () => {
    try {
      track.current ??= await backCamera();
      await track.current?.applyConstraints({ advanced: [{ torch: !on }] });
      setOn(!on);
    } catch {
      track.current = null;
      setOn(false);
    }
  };
  return { on, toggle: () => void toggle() };
}

const supported = (): object => navigator.mediaDevices.getSupportedConstraints();

async function backCamera(): Promise<TorchTrack | null> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  return (stream.getVideoTracks()[0] as TorchTrack | undefined) ?? null;
}
