import type { Location } from '../../diagnostics/diagnostic.ts';
import { placeOf, renderDiagnostics } from '../../diagnostics/render.ts';
import type { Logger, LogLevel } from '../../log/logger.ts';
import { progressLine } from '../../log/progress-line.ts';
import type { GraphNode } from '../../project/nodes.ts';
import type { NodeResult, RunEvent, RunListener, RunResult } from '../../run/events.ts';
import type { SourceTexts } from '../source-texts.ts';
import { displayName, finishLine, isTest, startLine, type NodeLine, type Paint } from './node-lines.ts';
import { completedLine, counted, finishedLine, statsLine, tally, testsLine } from './summary.ts';

export interface ReporterOptions {
  readonly log: Logger;
  readonly sources: SourceTexts;
  readonly width: number;
  /** Lists the steps of scenarios. */
  readonly verbose?: boolean;
}

/** After which time a node that is still at work is announced. */
const QUIET_MS = 500;

/** Turns what a run tells into dbt's log lines. */
export class RunReporter {
  readonly #log: Logger;
  readonly #options: ReporterOptions;
  /** dbt's number of a node is that of its start, also when others end before it. */
  readonly #numbers = new Map<string, number>();
  #hooks = 0;
  #announcement: { readonly write: (level?: LogLevel) => void; readonly timer: NodeJS.Timeout } | null = null;
  /** Nodes that had nothing to do and were mentioned to those who debug only. */
  #unchanged = 0;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  readonly listen: RunListener = (event) => this.#take(event);

  /**
   * A node that has nothing to do is over at once, and two lines for each would bury the others: the line of its start
   * waits until the node has something to tell, or takes a while.
   */
  #announceLater(write: (level?: LogLevel) => void): void {
    this.#announce();
    const timer = setTimeout(() => this.#announce(), QUIET_MS);
    timer.unref();
    this.#announcement = { write, timer };
  }

  #announce(level?: LogLevel): void {
    const announcement = this.#announcement;
    if (announcement === null) return;
    clearTimeout(announcement.timer);
    this.#announcement = null;
    announcement.write(level);
  }

  #take(event: RunEvent): void {
    switch (event.kind) {
      case 'runStart':
        this.#log.blank();
        this.#log.info(
          `Concurrency: ${counted(event.threads, 'thread', 'threads')} (target='${event.target}')`,
          {
            name: 'ConcurrencyLine',
            code: 'Q026',
            data: { num_threads: event.threads, target_name: event.target, node_count: event.total },
          },
        );
        this.#log.blank();
        return;
      case 'nodeStart': {
        const { node, index, total } = event;
        this.#numbers.set(node.unique_id, index);
        const write = (level?: LogLevel) =>
          this.#progress(startLine(node), node, { index, total }, undefined, level);
        if (isTest(node)) write();
        else this.#announceLater(write);
        return;
      }
      case 'nodeFinish': {
        const { result } = event;
        const nothing = result.status === 'no-op' && this.#announcement !== null;
        if (nothing) this.#unchanged++;
        this.#announce(nothing ? 'debug' : undefined);
        const index = this.#numbers.get(result.node.unique_id) ?? event.index;
        const seconds = result.status === 'skipped' ? undefined : result.seconds;
        const numbers = { index, total: event.total, seconds };
        this.#progress(finishLine(result), result.node, numbers, result, nothing ? 'debug' : undefined);
        if (this.#options.verbose === true)
          for (const step of result.steps ?? []) this.#log.info(stepLine(step));
        return;
      }
      case 'hookStart':
      case 'hookFinish':
        this.#announce();
        this.#hook(event);
        return;
      case 'message':
        this.#log[event.level](event.text);
        return;
      case 'runFinish':
        this.#finish(event.result);
    }
  }

  #progress(
    line: NodeLine,
    node: GraphNode,
    numbers: { index: number; total: number; seconds?: number },
    result?: NodeResult,
    as?: LogLevel,
  ): void {
    const text = progressLine(line.text, line.status, { ...numbers, width: this.#options.width });
    const data = {
      description: line.text,
      ...numbers,
      ...(result === undefined
        ? {}
        : { status: result.status, num_failures: result.failures, message: result.message }),
      node_info: nodeInfo(node, result?.status ?? 'started'),
    };
    const level = as ?? (line.paint === 'red' ? 'error' : line.paint === 'yellow' ? 'warn' : 'info');
    this.#log[level](this.#paintStatus(text, line), { ...line.event, data });
  }

  /** dbt paints what stands in the brackets. */
  #paintStatus(text: string, { status, paint }: NodeLine): string {
    const at = text.lastIndexOf(`[${status}`) + 1;
    return text.slice(0, at) + this.#paint(status, paint) + text.slice(at + status.length);
  }

  #paint(text: string, paint: Paint): string {
    return paint === 'plain' ? text : this.#log.colors[paint](text);
  }

  #hook(event: RunEvent & { kind: 'hookStart' | 'hookFinish' }): void {
    const { index, total, name } = event;
    const width = this.#options.width;
    if (event.kind === 'hookStart') {
      this.#hooks++;
      this.#log.info(progressLine(`START hook: ${name}`, 'RUN', { index, total, width }), {
        name: 'LogHookStartLine',
        code: 'Q032',
      });
      return;
    }
    const ok = event.status === 'success';
    const status = ok ? (event.message ?? 'OK') : 'ERROR';
    const text = `${ok ? 'OK' : 'ERROR'} hook: ${name}`;
    this.#log[ok ? 'info' : 'error'](
      progressLine(text, status, { index, total, seconds: event.seconds, width }),
      {
        name: 'LogHookEndLine',
        code: 'Q033',
      },
    );
    if (event.diagnostics.length > 0) this.#log.error(this.#render(event.diagnostics));
  }

  #finish(result: RunResult): void {
    const log = this.#log;
    const counts = tally(result.results);
    if (this.#unchanged > 0)
      log.info(`${counted(this.#unchanged, 'node', 'nodes')} unchanged: nothing to do there`);
    log.blank();
    log.info(finishedLine(result, this.#hooks), {
      name: 'FinishedRunningStats',
      code: 'E039',
      data: { execution_time: result.seconds },
    });
    log.blank();
    const completed = completedLine(counts, result.stopped === 'interrupted');
    log.info(this.#paint(completed.text, completed.paint), {
      name: 'EndOfRunSummary',
      code: 'Z030',
      data: { num_errors: counts.error, num_warnings: counts.warn },
    });
    for (const each of result.results)
      if (each.status === 'error' || each.status === 'fail') this.#failure(each);
    for (const each of result.results) if (each.status === 'warn') this.#warning(each);
    log.blank();
    // Where everybody looks first, however many failures stand above.
    const tests = testsLine(result.results);
    if (tests !== undefined) log.info(tests);
    log.info(statsLine(counts), { name: 'StatsLine', code: 'Z023', data: { stats: counts } });
  }

  #failure(result: NodeResult): void {
    const { node, message, details, diagnostics } = result;
    const log = this.#log;
    log.blank();
    log.error(log.colors.red(`Failure in ${title(node)}`), {
      name: 'RunResultFailure',
      code: 'Z021',
      data: { node_info: nodeInfo(node, result.status) },
    });
    if (diagnostics.length > 0) {
      log.error(`\n${this.#render(diagnostics)}`, {
        name: 'RunResultError',
        code: 'Z024',
        data: { diagnostics },
      });
    } else if (message !== null) {
      log.error(`  ${message}`, { name: 'RunResultError', code: 'Z024' });
    }
    if (details !== null) log.error(`\n${indent(withoutPlace(details, diagnostics[0]?.at))}`);
    this.#whereToLook(result);
  }

  #warning(result: NodeResult): void {
    const log = this.#log;
    log.blank();
    log.warn(log.colors.yellow(`Warning in ${title(result.node)}`), {
      name: 'RunResultWarning',
      code: 'Z021',
      data: { node_info: nodeInfo(result.node, result.status) },
    });
    if (result.message !== null) log.warn(result.message, { name: 'RunResultWarningMessage', code: 'Z049' });
    if (result.details !== null) log.warn(`\n${indent(result.details)}`);
    this.#whereToLook(result);
  }

  #whereToLook({ node, compiledPath, failuresRelation, status }: NodeResult): void {
    const log = this.#log;
    if (compiledPath !== null && (status !== 'error' || isTest(node))) {
      log.blank();
      log.info(`  compiled code at ${compiledPath}`, { name: 'SQLCompiledPath', code: 'Z026' });
    }
    if (failuresRelation !== null) {
      const query = `select * from ${failuresRelation}`;
      const border = '-'.repeat(query.length);
      log.blank();
      log.info(`  See test failures:\n  ${border}\n  ${query}\n  ${border}`, {
        name: 'CheckNodeTestFailure',
        code: 'Z027',
      });
    }
  }

  #render(diagnostics: NodeResult['diagnostics']): string {
    const { sources, log } = this.#options;
    return renderDiagnostics(diagnostics, {
      sourceOf: (file) => sources.of(file),
      colors: log.colors.isColorSupported,
    });
  }
}

/** `    pass  0.01s  step 2 "alice leaves" · 1 accepted · segment_members: 1 row as expected`. */
function stepLine({ status, seconds, title: name, notes }: NonNullable<NodeResult['steps']>[number]): string {
  return `    ${status.padEnd(5)} ${seconds.toFixed(2)}s  ${[name, ...notes].join(' · ')}`;
}

/** The details of a scenario begin with the place of the failed step, which the diagnostic above them has shown. */
function withoutPlace(details: string, at: Location | undefined): string {
  const [first = '', ...rest] = details.split('\n');
  return at !== undefined && rest.length > 0 && first.includes(placeOf(at)) ? rest.join('\n') : details;
}

/** `test unique_orders_order_id (models/schema.yml)`. */
function title(node: GraphNode): string {
  const name = node.resource_type === 'unit_test' ? displayName(node) : node.name;
  return `${node.resource_type} ${name} (${node.original_file_path})`;
}

function nodeInfo(node: GraphNode, status: string): Record<string, unknown> {
  return {
    node_name: node.name,
    node_path: node.path,
    node_status: status,
    resource_type: node.resource_type,
    unique_id: node.unique_id,
    ...('materialized' in node.config ? { materialized: node.config['materialized'] } : {}),
  };
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? line : `  ${line}`))
    .join('\n');
}
