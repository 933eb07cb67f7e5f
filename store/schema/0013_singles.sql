-- Upper nodes of the trees of bundles and promises (tree_upper), of those with more leaves than one part: with them the path of one
-- receipt needs a part of the leaves.  Where there is no row it is worked out from all.
CREATE TABLE bundle_nodes (
    id    INTEGER PRIMARY KEY REFERENCES bundles (id) ON DELETE CASCADE,
    nodes BLOB NOT NULL
) STRICT;
CREATE TABLE promise_nodes (
    id    INTEGER PRIMARY KEY REFERENCES promises (id) ON DELETE CASCADE,
    nodes BLOB NOT NULL
) STRICT;
