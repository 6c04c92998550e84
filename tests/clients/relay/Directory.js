// What relay-compiler reads; a module's operations begin with its name. The text is compiled, and
// never run.

import { graphql } from 'relay-runtime';

graphql`
  query DirectoryCountiesQuery($count: Int!) {
    ...Directory_counties @arguments(count: $count)
  }
`;

graphql`
  fragment Directory_counties on Query
  @refetchable(queryName: "DirectoryCountiesPageQuery")
  @argumentDefinitions(count: { type: "Int" }, cursor: { type: "String" }) {
    counties(first: $count, after: $cursor) @connection(key: "Directory_counties") {
      edges {
        node {
          name
        }
      }
    }
  }
`;

graphql`
  query DirectoryCountyQuery($fips: String!) {
    county(fips: $fips) {
      ...Directory_county
    }
  }
`;

graphql`
  fragment Directory_county on County @refetchable(queryName: "DirectoryCountyAgainQuery") {
    name
  }
`;

graphql`
  subscription DirectoryChangedSubscription($ids: [ID!]!) {
    entityChanged(ids: $ids) {
      cursor
      operation
      node {
        id
        ... on Institution {
          statusNote
        }
      }
    }
  }
`;
