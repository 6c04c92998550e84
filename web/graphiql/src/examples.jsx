// The panel that lists the example operations by the people they are for.
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";

export const examples = JSON.parse(document.getElementById("examples").textContent);

const AUDIENCES = {
  Family: "On a phone: one small answer",
  Partner: "For a dashboard: filters, groups, pages",
  Staff: "For the desk: sources, ids, everything",
};

function Icon() {
  return (
    <svg height="1em" fill="none" stroke="currentColor" strokeWidth="1.5" viewBox="0 0 24 24">
      <path d="M4 5.500c3-1.400 5.600-1 8 .7 2.400-1.700 5-2.100 8-.7v13c-3-1.400-5.600-1-8 .7-2.400-1.700-5-2.100-8-.7z" strokeLinejoin="round" />
      <path d="M12 6.200v13" />
    </svg>
  );
}

function Examples() {
  const { addTab, setOperationName, updateActiveTabValues } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const open = ({ query, variables }) => {
    addTab();
    updateActiveTabValues({ query, variables });
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables);
    // The editor would find out a moment later, and somebody may be quicker.
    setOperationName(/^query (\w+)/m.exec(query)?.[1]);
    queryEditor?.focus();
  };
  return (
    <section aria-label="Examples" className="examples">
      <h2>Examples</h2>
      {Object.entries(AUDIENCES).map(([audience, purpose]) => (
        <section key={audience}>
          <h3>{audience}</h3>
          <p>{purpose}</p>
          <ul>
            {examples
              .filter((example) => example.audience === audience)
              .map((example) => (
                <li key={example.title}>
                  <button type="button" onClick={() => open(example)}>
                    {example.title}
                  </button>
                </li>
              ))}
          </ul>
        </section>
      ))}
      <p>Each opens in a tab of its own; Ctrl-Enter runs it.</p>
    </section>
  );
}

export const examplesPlugin = { title: "Examples", icon: Icon, content: Examples };
