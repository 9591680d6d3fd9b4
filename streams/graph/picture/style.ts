import { FONT_SIZE } from './band.ts';

/** The colours of a picture, light and dark, and the marker at the end of lines. Names are kept within the picture: it may stand in a page. */
export const STYLE = `<style>
.topology{--ground:#fff;--ink:#1c2530;--muted:#5b6775;--frame:#f5f7fa;--edge:#c3ccd6;--card:#fff;--line:#6b7885;--topic:#e3effc;--topic-edge:#2f6fb3;--own:#fdf0dc;--own-edge:#a8650a;--store:#e4f4ea;--store-edge:#27794a;--accent:#2f6fb3}
@media (prefers-color-scheme:dark){.topology{--ground:#11161c;--ink:#e6ebf1;--muted:#9aa7b5;--frame:#181f27;--edge:#36424f;--card:#222b35;--line:#8a98a7;--topic:#17304a;--topic-edge:#69a9e8;--own:#3b2b12;--own-edge:#e0a44a;--store:#16352a;--store-edge:#5fbf8a;--accent:#69a9e8}}
.topology text{font:${FONT_SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:var(--ink)}
.topology .title{font-size:16px;font-weight:600}
.topology .heading{font-size:11px;fill:var(--muted)}
.topology .caption{font-size:10px;fill:var(--muted)}
.topology .ground{fill:var(--ground)}
.topology .frame{fill:var(--frame);stroke:var(--edge)}
.topology .source,.topology .processor,.topology .sink{fill:var(--card);stroke:var(--line)}
.topology .accent{fill:var(--accent)}
.topology .topic{fill:var(--topic);stroke:var(--topic-edge)}
.topology .repartition{fill:var(--own);stroke:var(--own-edge);stroke-dasharray:5 3}
.topology .store{fill:var(--store);stroke:var(--store-edge)}
.topology .rim{fill:none}
.topology .flow,.topology .passage{fill:none;stroke:var(--line);stroke-width:1.4;marker-end:url(#topology-arrow)}
.topology .passage{stroke:var(--own-edge);stroke-dasharray:5 3}
.topology .uses{fill:none;stroke:var(--store-edge)}
.topology .shared{stroke-dasharray:2 3}
.topology .arrow{fill:var(--line)}
</style>
<defs><marker id="topology-arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="arrow" d="M0 0L8 4L0 8Z"/></marker></defs>`;
