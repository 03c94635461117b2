// A service in TypeScript, written with nothing but what openapi-typescript makes of docs/openapi.json: it asks once,
// asks again under the same key, has people decide, waits for what they decide, and follows the feed.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

declare const process: { env: Record<string, string | undefined>; exit(code: number): never };

const baseUrl = process.env.A ?? "";
const as = (key: string | undefined) => createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
const clerk = as(process.env.KEY);
const leader = as(process.env.BOSS);
const realm = process.env.REALM ?? "";

function must<T>(told: { data?: T; error?: unknown; response: Response }): T {
  if (told.data === undefined) throw new Error(`${told.response.status} ${JSON.stringify(told.error)}`);
  return told.data;
}

const caller = must(await clerk.GET("/v1/session"));
const need = `need/${realm}/ND-31`;
const particulars = { round: "R-1", group: "空巢老人", head_count: 30 };
const trial = must(await clerk.POST("/v1/why-not/{command}", {
  params: { path: { command: "SubmitNeed" } },
  body: { subject: need, as: "COMM#1", particulars },
}));
const key = { "idempotency-key": crypto.randomUUID() };
const submit = () => clerk.POST("/v1/commands/SubmitNeed", {
  params: { header: key },
  body: { subject: need, as: "COMM#1", particulars },
});
const receipt = must(await submit());
const again = must(await submit());
if (JSON.stringify(receipt) !== JSON.stringify(again)) throw new Error("one key, two answers");
if (!("command_id" in receipt)) throw new Error("no receipt");
const outcome = must(await clerk.GET("/v1/outcomes/{command_id}", {
  params: { path: { command_id: receipt.command_id } },
}));

const opened = must(await clerk.POST("/v1/approvals", {
  params: { header: { "idempotency-key": crypto.randomUUID() } },
  body: { realm, as: "CAB-REG#1", request: { title: "年度採購", amount: 1_200_000, groups: [{ seats: ["CAB-DEC#1"] }] } },
}));
const approval_id = opened.approvals?.[0]?.id ?? "";
const waiting = clerk.GET("/v1/approvals/{approval_id}", { params: { path: { approval_id }, query: { wait: 30 } } });
must(await leader.POST("/v1/approvals/{approval_id}/decision", {
  params: { path: { approval_id }, header: { "idempotency-key": crypto.randomUUID() } },
  body: { decision: "approve" },
}));
const decided = must(await waiting);
const refused = await clerk.POST("/v1/commands/AdoptNeed", {
  params: { header: { "idempotency-key": crypto.randomUUID() } },
  body: { subject: need, as: "COMM#1" },
});
const events: string[] = [];
for (let after = 0, before = -1; after !== before; ) { // a page is of the whole log: those of one stream may come late
  const page = must(await clerk.GET("/v1/events", { params: { query: { stream: need, after } } }));
  events.push(...page.events.map((one) => one.type));
  [before, after] = [after, page.after];
}
console.log(JSON.stringify({
  seats: caller.seats,
  trial: trial.would_be,
  outcome: outcome.ending,
  verdict: decided.verdict,
  bound: decided.summary.map((one) => one.value),
  refused: refused.error?.unmet?.map((one) => one.rule),
  events,
}));
