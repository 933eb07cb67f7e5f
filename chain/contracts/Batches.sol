// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title Batches
/// @notice What is committed, pending, active and paid.  Activation needs no transaction: a batch is active from its
/// second on, and every view answers as of now.
abstract contract Batches {
    /// @notice The proof leads neither to the active root nor to the one before.
    error BadProof();

    /// One slot.  `newest` is the place in _roots of the batch last committed: pending until activeAt, then active.
    /// After a cancel it points at the batch before again.
    struct Batch {
        uint40 sequence;
        uint40 activeAt;
        uint40 pausedUntil;
        uint8 newest;
        uint128 total;
    }

    /// One slot.  `before` is the total that counts while the newest batch is pending.
    struct Sums {
        uint128 claimed;
        uint128 before;
    }

    uint8 private constant PLACES = 3;

    Batch internal _batch;
    Sums internal _sums;
    /// @dev A ring: the newest root, the one before it, and the place of the next.  So a pending batch takes the
    /// place of neither root that proofs may lead to, and a cancel leaves both as they were; the cancelled root
    /// stays in the place of the next, which no proof reaches.
    bytes32[PLACES] internal _roots;

    /// @notice What `account` was paid so far, as its leaves count it.
    mapping(address account => uint256) public claimed;
    /// @notice The chain of batches: header(n) binds header(n - 1) and all that batch n published.
    mapping(uint64 sequence => bytes32) public header;

    /// @notice The last number used, by a cancelled batch too.
    function sequence() external view returns (uint64) {
        return _batch.sequence;
    }

    /// @notice Commits are refused until then; in the past where nothing is paused.
    function pausedUntil() external view returns (uint64) {
        return _batch.pausedUntil;
    }

    /// @notice The root of the last batch that is active; zero before the first.
    function activeRoot() external view returns (bytes32) {
        return _roots[_active(_batch)];
    }

    /// @notice The root active before that one, to which proofs may lead too; zero before the second.
    function previousRoot() external view returns (bytes32) {
        return _roots[_before(_active(_batch))];
    }

    /// @notice All that is owed under the active root, paid or not.
    function total() external view returns (uint256) {
        return _activeTotal(_batch, _sums);
    }

    /// @notice What was paid to all accounts so far.
    function totalClaimed() external view returns (uint256) {
        return _sums.claimed;
    }

    /// @notice The batch that waits for its activation; all zero where none does.
    function pending() external view returns (uint64 sequence_, bytes32 root, uint256 total_, uint64 activeAt) {
        Batch memory batch = _batch;
        if (_isPending(batch)) return (batch.sequence, _roots[batch.newest], batch.total, batch.activeAt);
    }

    /// @dev Checks a proof's root; what all payments together may still take, and the sums they change.
    function _roomUnder(bytes32 root) internal view returns (uint256 room, Sums memory sums) {
        Batch memory batch = _batch;
        uint8 active = _active(batch);
        if (root != _roots[active] && root != _roots[_before(active)]) revert BadProof();
        sums = _sums;
        room = _activeTotal(batch, sums) - sums.claimed;
    }

    function _isPending(Batch memory batch) internal view returns (bool) {
        return block.timestamp < batch.activeAt;
    }

    function _next(uint8 place) internal pure returns (uint8) {
        return place < PLACES - 1 ? place + 1 : 0;
    }

    function _before(uint8 place) internal pure returns (uint8) {
        return place > 0 ? place - 1 : PLACES - 1;
    }

    function _active(Batch memory batch) private view returns (uint8) {
        return _isPending(batch) ? _before(batch.newest) : batch.newest;
    }

    function _activeTotal(Batch memory batch, Sums memory sums) private view returns (uint256) {
        return _isPending(batch) ? sums.before : batch.total;
    }
}
