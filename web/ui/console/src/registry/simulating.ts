import { get, newKey, Problem, post } from "@shared/api.ts";
import { words } from "@shared/language.ts";
import type { Page, PolicyVersion, Simulation } from "@shared/shapes.ts";
import { useEffect, useState } from "preact/hooks";
import type { SimulationWish } from "./simulation_form.tsx";

/** A report about a version, as the server keeps it. */
export interface ReportRef {
  id: string;
}

const LOOK_AGAIN_MS = 1500;

/** Ask for a simulation and watch it until its report is there; it goes on when the page is left. */
export async function simulate(
  policy: PolicyVersion,
  wish: SimulationWish,
  onProgress: (share: number) => void,
  stop: AbortSignal,
): Promise<ReportRef | null> {
  let job = await post<Simulation>(`/policies/${policy.id}/simulate`, wish, { key: newKey() });
  while (!stop.aborted && job.report === null) {
    if (job.status === "failed")
      throw new Problem({ title: whyFailed(job, wish), status: 0, code: "failed" });
    onProgress(job.incidents > 0 ? job.done / job.incidents : 0);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    job = await get<Simulation>(`/simulations/${job.id}`);
  }
  return job.report === null ? null : { id: job.report };
}

/** The server says in English what it lacks; which world lacks it is known here. */
function whyFailed({ error }: Simulation, { world }: SimulationWish): string {
  const own = words().office.policy.simulation;
  const lacks = error?.startsWith("there are no") && world !== "poisson";
  return lacks ? own.lacks[world] : own.failed;
}

/** The latest report about exactly this version, if there is one among the latest. */
async function findReport(policy: PolicyVersion): Promise<ReportRef | null> {
  if (policy.report) return { id: policy.report };
  const { items } = await get<Page<{ id: string; digests: string[] }>>("/simulation-reports", { limit: 100 });
  return items.find(({ digests }) => digests.includes(policy.digest)) ?? null;
}

/** The report of a version; null while there is none. */
export function useReport(policy: PolicyVersion) {
  const [report, setReport] = useState<ReportRef | null>(null);
  useEffect(() => {
    let current = true;
    findReport(policy)
      .then((found) => current && found && setReport(found))
      .catch(() => null);
    return () => {
      current = false;
    };
  }, [policy.id, policy.digest, policy.report]);
  return [report, setReport] as const;
}

export const reportPage = ({ id }: ReportRef): string => `/api/v1/simulation-reports/${id}?format=html`;
