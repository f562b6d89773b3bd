import { render } from "preact";
import "../styles/tokens.css";
import "./report.css";
import "./figures.css";
import "./charts.css";
import { ComparePage } from "./compare";
import { RunPage } from "./run";
import type { Comparisons, Report, Trends } from "./shapes";
import { TrendPage } from "./trend";
import "./adapt.css";

type Content =
  | { page: "run"; data: Report }
  | { page: "compare"; data: Comparisons }
  | { page: "trend"; data: Trends };

function Page({ content }: { content: Content }) {
  switch (content.page) {
    case "run":
      return <RunPage report={content.data} />;
    case "compare":
      return <ComparePage comparisons={content.data} />;
    case "trend":
      return <TrendPage trends={content.data} />;
  }
}

const root = document.getElementById("report");
const written = document.getElementById("content")?.textContent;
if (root && written) render(<Page content={JSON.parse(written) as Content} />, root);
