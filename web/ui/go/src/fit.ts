import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** Tighten a screen level by level until nothing needs scrolling; works for any phone, language and text size. */
export function useFit(tightest: number): { level: number; ref: { current: HTMLElement | null } } {
  const ref = useRef<HTMLElement>(null);
  const [level, setLevel] = useState(0);
  useLayoutEffect(() => {
    const box = ref.current;
    if (box && level < tightest && box.scrollHeight > box.clientHeight) setLevel(level + 1);
  });
  useLayoutEffect(() => {
    const again = () => setLevel(0);
    window.addEventListener("resize", again);
    return () => window.removeEventListener("resize", again);
  }, []);
  return { level, ref };
}
