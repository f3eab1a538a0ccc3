import type { Words } from "../zh.ts";

export const trouble: Words["trouble"] = {
  title: "System fault",
  since: (time) => `since ${time}`,
  shrink: "Shrink",
  expand: "Show",
  more: (n) => `${n} more`,
  count: (n) => `System faults not mended: ${n}`,
  what: {
    lost: "No contact with the server",
    database: "The database does not answer",
    fan_out: "Live updates do not reach the screens",
    worker: "The background service is not running",
    timers: "Automatic steps are late",
    outbox: "Text messages and pushes are not going out",
    channel: "A channel refuses messages",
    hints: "The live accelerator is down",
    clock: "The server's clock is wrong",
  },
  action: {
    lost: "What you see may be old. Go on by phone and paper and check this desk's network; all is filled in afterwards.",
    database:
      "New incidents and alerts cannot be stored. Write calls down, phone people and 120, and call the administrator.",
    fan_out:
      "What you see may be old. Reload the page every minute, phone urgent alerts, and call the administrator.",
    worker:
      "No text message, push or next wave goes by itself. Alert more people by hand or phone them, and call the administrator.",
    timers:
      "The next wave may not go by itself. Watch incidents that nobody has accepted and alert more people by hand.",
    outbox:
      "Volunteers may get no text message or push. Phone them for what is urgent, and call the administrator.",
    channel:
      "Nothing goes out by this channel. Phone what is urgent, and have the administrator check account and balance.",
    hints:
      "Alerts come up to a second later and places on the map stand still; nothing is lost. Tell the administrator.",
    clock: "Alerts live as long as they should. Have the administrator set the server's clock.",
  },
  subject: { dispatch: "dispatch", planning: "upkeep" },
  seconds: (n) => `${n} s off`,
  unknown: (kind) => `The system reports a fault: ${kind}`,
  unknownDo: "Tell the administrator.",
  key: "Shrink or show system faults",
};
