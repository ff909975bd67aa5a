/**
 * The package's public surface `seg/incremental`: views that follow their tables, on any PostgreSQL or PGlite, with no
 * seg project around.
 */
export { createIncrementalView, dropIncrementalView } from './incremental-view.ts';
export type { IncrementalView, IncrementalViewOptions } from './incremental-view.ts';
export { explainIncrementalView } from './explain-view.ts';
export type { ExplainOptions, ExplainedStage, ExplainedView } from './explain-view.ts';
export type { Analysis, AnalyzedBatch, AnalyzedStep } from './analysis.ts';
export type { ExplainedOperator } from './explain-operators.ts';
export { explanationText } from './explanation-text.ts';
export { readChanges } from './read-changes.ts';
export type { ViewChange } from './read-changes.ts';
export type { JsonRow } from '../changelog/change.ts';
export { JsonNumber } from '../json/json-number.ts';
export type { QueryClient } from './client.ts';
