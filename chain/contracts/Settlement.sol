// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {GrowthCap} from "./GrowthCap.sol";
import {Roles} from "./Roles.sol";
import {Walk} from "./Walk.sol";

/// @title Settlement
/// @notice Pays what committed rewards trees prove.  The operator commits a tree a batch; after activationDelay
/// anyone may have any account of it paid.  A leaf holds all that its account ever earned here and never falls,
/// so the root before the active one stays good for proofs on their way, and nothing is paid twice.
/// The delay is the earners' exit window: neither pause nor any role stops `distribute` and `claim`.
/// Times are in seconds, amounts in base units of one plain ERC-20 (no fee on transfer, no rebasing).
contract Settlement is GrowthCap, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    error IsPaused();
    /// @notice The batch before still waits for its activation.
    error StillPending();
    error NothingPending();
    error WrongSequence(uint64 expected);
    /// @notice The operator's history is not the one committed here.
    error WrongParent();
    error ZeroRoot();
    error TotalFell();
    /// @notice The contract lacks `missing` of what it would owe.
    error Underfunded(uint256 missing);
    /// @notice The proof leads neither to the active root nor to the one before.
    error BadProof();
    error NothingToClaim();
    error WrongToken();
    /// @notice The leaves add up to more than the active total.
    error ExceedsTotal();

    event Committed(
        uint64 indexed sequence,
        bytes32 receiptsRoot,
        bytes32 rewardsRoot,
        bytes32 archive,
        uint256 total,
        uint64 receipts,
        uint64 activeAt,
        bytes32 header
    );
    event Cancelled(uint64 indexed sequence);
    /// @notice Sums of one call; each payment in it is the token's own `Transfer` from this contract.
    event Distributed(uint256 paid, uint256 skipped);
    /// @notice The token refused to pay `account`; `amount` stays due.
    event Skipped(address indexed account, uint256 amount);
    event Claimed(address indexed account, address indexed reward, uint256 amount);
    event PausedUntil(uint256 time);

    IERC20 public immutable token;
    /// @notice Whoever tops up what a commit lacks, by allowance; zero where the contract is funded beforehand.
    address public immutable funder;
    uint64 public immutable activationDelay;
    uint64 public immutable pauseDuration;

    /// One slot.  `newest` is the place in _roots of the batch last committed: pending until activeAt, then active.
    /// It is a bit of its own, as after a cancel the next sequence must not overwrite the active root.
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

    Batch private _batch;
    Sums private _sums;
    bytes32[2] private _roots;

    /// @notice What `account` was paid so far, as its leaves count it.
    mapping(address account => uint256) public claimed;
    /// @notice The chain of batches: header(n) binds header(n - 1) and all that batch n published.
    mapping(uint64 sequence => bytes32) public header;

    constructor(
        IERC20 token_,
        address owner_,
        address operator_,
        address guardian_,
        address funder_,
        uint256 cap_,
        uint64 capWindow_,
        uint64 activationDelay_,
        uint64 roleDelay_,
        uint64 pauseDuration_
    ) Roles(owner_, operator_, guardian_, roleDelay_) GrowthCap(cap_, capWindow_) {
        if (address(token_).code.length == 0) revert BadConfig();
        if (activationDelay_ > 7 days || pauseDuration_ > 14 days) revert BadConfig();
        token = token_;
        funder = funder_;
        activationDelay = activationDelay_;
        pauseDuration = pauseDuration_;
        header[0] = keccak256(abi.encode(block.chainid, address(this), token_));
    }

    /// @notice Publish batch `sequence_`: its trees, its archive and all that was earned up to it.
    /// @param sequence_ The last number used plus one; a cancelled number stays used.
    /// @param parent header(sequence_ - 1): two stores that disagree about the past cannot both go on.
    /// @param total_ Sum of all leaves of the rewards tree, never less than before.
    function commit(
        uint64 sequence_,
        bytes32 parent,
        bytes32 receiptsRoot,
        bytes32 rewardsRoot,
        bytes32 archive,
        uint256 total_,
        uint64 receipts
    ) external nonReentrant {
        Batch memory batch = _batch;
        if (msg.sender != operator()) revert NotOperator();
        if (block.timestamp < batch.pausedUntil) revert IsPaused();
        if (_isPending(batch)) revert StillPending();
        if (sequence_ != batch.sequence + 1) revert WrongSequence(batch.sequence + 1);
        if (parent != header[batch.sequence]) revert WrongParent();
        if (rewardsRoot == 0) revert ZeroRoot();
        if (total_ < batch.total) revert TotalFell();
        if (total_ > type(uint128).max) revert OverCap(type(uint128).max - batch.total);
        _grow(total_ - batch.total);

        _sums.before = batch.total;
        batch.sequence += 1;
        batch.activeAt = uint40(block.timestamp + activationDelay);
        batch.newest ^= 1;
        batch.total = uint128(total_);
        _batch = batch;
        _roots[batch.newest] = rewardsRoot;
        bytes32 head = keccak256(
            abi.encode(parent, sequence_, receiptsRoot, rewardsRoot, archive, total_, receipts, uint64(block.timestamp))
        );
        header[sequence_] = head;
        emit Committed(sequence_, receiptsRoot, rewardsRoot, archive, total_, receipts, batch.activeAt, head);

        _fund(total_ - _sums.claimed);
    }

    /// @notice Take the pending batch back: as if it had never been, but that its number stays used.
    function cancel(uint64 sequence_) external nonReentrant {
        Batch memory batch = _batch;
        if (msg.sender != guardian) revert NotGuardian();
        if (!_isPending(batch)) revert NothingPending();
        if (sequence_ != batch.sequence) revert WrongSequence(batch.sequence);

        uint128 before = _sums.before;
        _giveBack(batch.total - before);
        delete _roots[batch.newest];
        batch.activeAt = 0;
        batch.newest ^= 1;
        batch.total = before;
        _batch = batch;
        // No proof may lead to this header any more, and the next batch builds on the mark.
        header[sequence_] = keccak256(abi.encode(header[sequence_], "cancelled"));
        emit Cancelled(sequence_);
    }

    /// @notice Pay any set of accounts of one accepted tree; also while paused.
    /// @param accounts The accounts, in the order of the tree's leaves.
    /// @param claimables What the leaf of each says.
    /// @param proof Hashes of the subtrees that hold none of them.
    /// @param steps One byte a pushed node, see `Walk.rootOf`.
    /// @return paid Base units paid now.
    /// @return skipped Base units due that the token refused to transfer; they stay due.
    function distribute(
        address[] calldata accounts,
        uint256[] calldata claimables,
        bytes32[] calldata proof,
        bytes calldata steps
    ) external nonReentrant returns (uint256 paid, uint256 skipped) {
        bytes32 root = Walk.rootOf(address(token), accounts, claimables, proof, steps);
        if (!_isAccepted(root)) revert BadProof();
        uint256 claimedBefore = _sums.claimed;
        uint256 payable_ = total() - claimedBefore;

        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            uint256 claimable = claimables[i];
            uint256 before = claimed[account];
            if (claimable <= before) continue;
            uint256 amount = claimable - before;
            if (amount > payable_ - paid) revert ExceedsTotal();
            claimed[account] = claimable; // before the transfer: a token that calls back finds nothing due
            if (token.trySafeTransfer(account, amount)) {
                paid += amount;
            } else {
                claimed[account] = before;
                skipped += amount;
                emit Skipped(account, amount);
            }
        }
        if (paid != 0) _sums.claimed = uint128(claimedBefore + paid);
        emit Distributed(paid, skipped);
    }

    /// @notice Pay `account` what one leaf proves and was not yet paid; anyone may, also while paused.
    /// @return amount Base units paid now.
    function claim(address account, address reward, uint256 claimable, bytes32[] calldata proof)
        external
        nonReentrant
        returns (uint256 amount)
    {
        if (reward != address(token)) revert WrongToken();
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, reward, claimable))));
        if (!_isAccepted(MerkleProof.processProofCalldata(proof, leaf))) revert BadProof();
        uint256 before = claimed[account];
        if (claimable <= before) revert NothingToClaim();
        amount = claimable - before;
        uint256 claimedBefore = _sums.claimed;
        if (amount > total() - claimedBefore) revert ExceedsTotal();

        claimed[account] = claimable;
        _sums.claimed = uint128(claimedBefore + amount);
        emit Claimed(account, reward, amount);

        token.safeTransfer(account, amount);
    }

    /// @notice Stop commits for pauseDuration.  Not again until as long has passed after the end: a stolen
    /// guardian key stops them half of the time at most.
    function pause() external nonReentrant {
        if (msg.sender != guardian) revert NotGuardian();
        if (block.timestamp < uint256(_batch.pausedUntil) + pauseDuration) revert TooEarly();
        _setPause(block.timestamp + pauseDuration);
    }

    /// @notice End a pause early; nothing happens where there is none.
    function unpause() external onlyOwner nonReentrant {
        if (block.timestamp < _batch.pausedUntil) _setPause(block.timestamp);
    }

    function pausedUntil() external view returns (uint64) {
        return _batch.pausedUntil;
    }

    /// @notice The last number used.
    function sequence() external view returns (uint64) {
        return _batch.sequence;
    }

    function activeRoot() external view returns (bytes32) {
        Batch memory batch = _batch;
        return _isPending(batch) ? _roots[batch.newest ^ 1] : _roots[batch.newest];
    }

    /// @notice The other root that proofs may lead to; zero while a batch is pending, which takes its place.
    function previousRoot() external view returns (bytes32) {
        Batch memory batch = _batch;
        return _isPending(batch) ? bytes32(0) : _roots[batch.newest ^ 1];
    }

    /// @notice All that is owed under the active root, paid or not.
    function total() public view returns (uint256) {
        Batch memory batch = _batch;
        return _isPending(batch) ? _sums.before : batch.total;
    }

    function totalClaimed() external view returns (uint256) {
        return _sums.claimed;
    }

    /// @notice The batch that waits for its activation; all zero where none does.
    function pending() external view returns (uint64 sequence_, bytes32 root, uint256 total_, uint64 activeAt) {
        Batch memory batch = _batch;
        if (_isPending(batch)) return (batch.sequence, _roots[batch.newest], batch.total, batch.activeAt);
    }

    function _isPending(Batch memory batch) private view returns (bool) {
        return block.timestamp < batch.activeAt;
    }

    function _isAccepted(bytes32 root) private view returns (bool) {
        Batch memory batch = _batch;
        if (_isPending(batch)) return root == _roots[batch.newest ^ 1];
        return root == _roots[batch.newest] || root == _roots[batch.newest ^ 1];
    }

    /// @dev Pull what the contract lacks of `owed`, or refuse.
    function _fund(uint256 owed) private {
        uint256 balance = token.balanceOf(address(this));
        if (balance >= owed) return;
        uint256 missing = owed - balance;
        if (funder == address(0) || !token.trySafeTransferFrom(funder, address(this), missing)) {
            revert Underfunded(missing);
        }
        // A token that keeps a part on the way would leave the last earner unpaid.
        balance = token.balanceOf(address(this));
        if (balance < owed) revert Underfunded(owed - balance);
    }

    function _setPause(uint256 until) private {
        _batch.pausedUntil = uint40(until);
        emit PausedUntil(until);
    }
}
