import { didYouMean } from '../diagnostics/suggest.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { Manifest } from '../project/manifest.ts';
import { fnmatch } from './glob.ts';
import {
  matchesConfig,
  matchesFile,
  matchesFqn,
  matchesNamed,
  matchesPath,
  matchesSource,
  matchesTestName,
  matchesTestType,
  matchesVersion,
} from './match-names.ts';
import { StateMatcher } from './match-state.ts';
import { isMethod } from './methods.ts';
import type { PreviousState } from './previous-state.ts';
import type { Selectable } from './selectable.ts';
import type { Criterion } from './tree.ts';

export interface MatchContext {
  readonly manifest: Manifest;
  readonly previous: PreviousState | null;
  readonly currentFreshness: ReadonlyMap<string, string> | null;
}

/** Values a method knows; anything else is a mistake, not an empty result. */
const CLOSED: Partial<Record<string, readonly string[]>> = {
  test_type: ['generic', 'singular', 'data', 'unit', 'scenario', 'schema'],
  version: ['latest', 'prerelease', 'old', 'none'],
  source_status: ['fresher'],
};

/** The nodes one method selects, without graph operators (`selector:` is evaluate's). Throws SegError SEG353, SEG356. */
export function matchCriterion(
  criterion: Criterion,
  nodes: ReadonlyMap<string, Selectable>,
  context: MatchContext,
): Set<string> {
  const matches = matcher(criterion, context);
  return new Set([...nodes.values()].filter(matches).map((node) => node.unique_id));
}

function matcher(criterion: Criterion, context: MatchContext): (node: Selectable) => boolean {
  const { method, value, raw } = criterion;
  const closed = CLOSED[method];
  if (closed !== undefined && !closed.includes(value)) {
    throw segError('SEG353', `unknown value "${value}" of selector method "${method}"`, {
      hint: didYouMean(value, closed) ?? `It is one of ${closed.join(', ')}.`,
    });
  }
  if (!isMethod(method)) throw new Error(`invariant: selector method "${method}" was checked by the parser`);
  switch (method) {
    case 'fqn':
      return (node) => matchesFqn(node, value);
    case 'tag':
      return (node) => node.tags.some((tag) => fnmatch(tag, value));
    case 'group':
      return (node) => node.group !== null && fnmatch(node.group, value);
    case 'access':
      return (node) => node.resource_type === 'model' && fnmatch(node.access ?? 'protected', value);
    case 'source':
      return (node) => matchesSource(node, value);
    case 'path':
      return (node) => matchesPath(node, value);
    case 'file':
      return (node) => matchesFile(node, value);
    case 'package': {
      const own = context.manifest.metadata.project_name ?? '';
      return (node) => fnmatch(node.package_name, value === 'this' ? own : value);
    }
    case 'config':
      return (node) => matchesConfig(node, criterion.methodArguments, value);
    case 'test_name':
      return (node) => matchesTestName(node, value);
    case 'test_type':
      return (node) => matchesTestType(node, value);
    case 'resource_type':
      return (node) => node.resource_type === value;
    case 'exposure':
    case 'metric':
    case 'semantic_model':
    case 'saved_query':
    case 'unit_test':
    case 'sink':
      return (node) => matchesNamed(node, method, value);
    case 'version':
      return (node) => matchesVersion(node, value);
    case 'state': {
      const previous = needPrevious(context, raw, 'manifest.json', (state) => state.hasManifest);
      const state = new StateMatcher(previous, context.manifest);
      return (node) => state.matches(node, value);
    }
    case 'result': {
      const { results } = needPrevious(context, raw, 'run_results.json', (state) => state.results !== null);
      return (node) => results!.get(node.unique_id) === value;
    }
    case 'source_status': {
      const { freshness } = needPrevious(context, raw, 'sources.json', (state) => state.freshness !== null);
      if (context.currentFreshness === null) throw missing(raw, 'sources.json of this project');
      const current = context.currentFreshness;
      return (node) => {
        const now = current.get(node.unique_id);
        const before = freshness!.get(node.unique_id);
        return now !== undefined && (before === undefined || Date.parse(now) > Date.parse(before));
      };
    }
    case 'selector':
      throw new Error('invariant: evaluate() resolves "selector:"');
  }
}

function needPrevious(
  context: MatchContext,
  raw: string,
  file: string,
  has: (state: PreviousState) => boolean,
): PreviousState {
  if (context.previous !== null && has(context.previous)) return context.previous;
  throw missing(raw, context.previous === null ? file : `${file} in "${context.previous.folder}"`);
}

function missing(raw: string, what: string) {
  return segError('SEG356', `selector "${raw}" compares with an earlier run, but there is no ${what}`, {
    hint: 'Give the folder of the earlier artifacts with --state.',
  });
}
