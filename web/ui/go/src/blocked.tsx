import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import { wordFor } from "@shared/words/zh.ts";
import { useState } from "preact/hooks";
import { type Block, blocksOf, blockText, type Fix, isPartly } from "./alertable.ts";
import { CertificateSheet } from "./certificate_sheet.tsx";
import { dayTime } from "./day_time.ts";
import { PermissionSheet } from "./permission_sheet.tsx";
import { refresh, setDuty, showNotice, usePhone } from "./phone.ts";
import { sharePosition } from "./position.ts";
import { QuietSheet } from "./quiet_sheet.tsx";

export const useBlocks = (): Block[] =>
  blocksOf(
    usePhone((all) => all.me),
    usePhone((all) => all.duty),
  );

type Open = "certificate" | "quiet" | "notifications" | "position";

/** Why no call would come now, each reason with the tap that mends it. */
export function Blocked() {
  const all = useWords();
  const words = all.care.blocked;
  const blocks = useBlocks();
  const phone = usePhone((state) => state.me?.org.phone ?? null);
  const [open, setOpen] = useState<Open | null>(null);
  if (blocks.length === 0 && !open) return null;
  const say = {
    when: (time: string) => dayTime(time, all),
    kinds: (codes: string[]) => codes.map((code) => wordFor(all.domain.kind, code)).join(all.parts.listComma),
  };
  const title = isPartly(blocks) ? words.partly : words.title;
  const shut = () => setOpen(null);
  return (
    <>
      {blocks.length > 0 ? (
        <section class="block warn-block blocked" data-testid="blocked" aria-label={title}>
          <h2>
            <Icon name="warn" size={22} />
            {title}
          </h2>
          <ul>
            {blocks.map((block) => (
              <li key={block.code} data-code={block.code}>
                <span>{blockText(block, words, say)}</span>
                <FixButton fix={block.fix} phone={phone} onOpen={setOpen} />
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      {open === "certificate" ? <CertificateSheet onClose={shut} /> : null}
      {open === "quiet" ? <QuietSheet onClose={shut} /> : null}
      {open === "notifications" ? <PermissionSheet what="notify" onClose={shut} /> : null}
      {open === "position" ? <PermissionSheet what="place" onClose={shut} /> : null}
    </>
  );
}

interface FixProps {
  fix: Fix | null;
  phone: string | null;
  onOpen: (what: Open) => void;
}

function FixButton({ fix, phone, onOpen }: FixProps) {
  const words = useWords().care.blocked.fix;
  if (!fix || (fix === "call" && !phone)) return null;
  if (fix === "call") {
    return (
      <a class="phone-button" href={`tel:${phone}`}>
        {words.call}
      </a>
    );
  }
  return (
    <button type="button" class="phone-button" data-fix={fix} onClick={() => void mend(fix, onOpen)}>
      {words[fix]}
    </button>
  );
}

async function mend(fix: Exclude<Fix, "call">, onOpen: (what: Open) => void): Promise<void> {
  if (fix === "certificate" || fix === "quiet" || fix === "notifications") return onOpen(fix);
  try {
    if (fix === "position") {
      const outcome = await sharePosition();
      if (outcome === "ask") return onOpen("position");
      await refresh();
    } else await setDuty("available", null);
  } catch (error) {
    showNotice({ kind: "refused", text: (error as Error).message });
  }
}
