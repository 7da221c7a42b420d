import type { Style } from './output/style.ts';
import { renderDetails } from './output/table.ts';
import { serviceTime } from './output/time.ts';
import type { ResultResponse } from './services/onceonly/wire.ts';
import { visibleJson } from './terminal/visible.ts';

/** How the work on a key ended, for people, with what it stored. */
export function renderResult(answer: ResultResponse, profile: string, style: Style): string {
  const details = renderDetails(
    [
      ['Key', answer.key],
      ['Status', answer.status],
      ['Finished', serviceTime(answer.done_at, style)],
      ['Error', answer.error_code],
      ['Result hash', answer.result_hash],
      ['Profile', profile],
    ],
    style,
  );
  return answer.result ? `${details}\n${visibleJson(answer.result)}` : details;
}
